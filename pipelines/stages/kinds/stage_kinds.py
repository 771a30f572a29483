"""The kinds of stages by the word that a pipeline says after `do:`: what each takes and gives. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sslgraph.errors import SslgraphError
from sslgraph.read.spec import Stage

from .work import StageKind

SHARE = "Annotated[float, Field(gt=0, le=1)]"
TRAINING = {"set": "dict[str, Any]", "data": "str | None"}
CURATION = {
    "copies": SHARE, "near_test": SHARE, "neighbours": "Count | None", "clusters": "Count | None", "hits": "Whole",
    "per_cluster": "Count", "with_seed": "bool", "side": "Annotated[int, Field(ge=8)]",
    "form": "Literal['jpeg', 'raw']",
}  # fmt: skip
EMBEDDING = {"data": "str | None", "split": "Literal['train', 'test', 'all']", "classes": "list[str] | None"}
EXPORT = {"to": "Literal['safetensors', 'timm', 'torchvision', 'hf', 'onnx', 'torch.export']"}


def labels_problem(labels: Any) -> str:
    """What is wrong with `labels:`, in words; "" for a count of images and for a share such as 10 %."""
    if isinstance(labels, int) and not isinstance(labels, bool) and labels > 0:
        return ""
    try:
        is_share = isinstance(labels, str) and labels.endswith("%") and 0 < float(labels.removesuffix("%")) <= 100
    except ValueError:
        is_share = False
    return "" if is_share else "must be a number of images, or a share of them such as 10 %"


def _retrieval_fault(stage: Stage) -> str:
    """What is wrong with a curation's settings: how images are retrieved is said where there is a seed to do so."""
    asked = [name for name in ("neighbours", "clusters") if stage.settings.get(name)]
    if "seed" in stage.given and not asked:
        return "a seed set retrieves images by neighbours: or clusters:, and neither is there; write one of them"
    if asked and "seed" not in stage.given:
        return f"{asked[0]}: are those of a seed set; write given: {{seed: STAGE}}, or leave {asked[0]}: out"
    return ""


def _unknown_protocol(stage: Stage) -> str:
    """What is wrong with the names of protocols; "" if nothing is."""
    names = stage.settings.get("protocols", ())
    if not names or not isinstance(names, list):
        return ""
    from ...evaluate.protocols import asked_for  # which measures, and so brings torch with it

    try:
        for name in names:
            asked_for(str(name))
    except SslgraphError as wrong:
        return str(wrong)
    return ""


KINDS: Mapping[str, StageKind] = {
    "train": StageKind("training.train", TRAINING, trains=True, of_labels=("knn",)),
    "fine_tune": StageKind(
        "training.classify", {**TRAINING, "labels": "Any"}, trains=True, of_labels=("accuracy", "knn")
    ),
    "distil": StageKind("training.classify", TRAINING, trains=True, of_labels=("accuracy", "knn")),
    "evaluate": StageKind(
        "of_a_run.measure", {"data": "str | None", "protocols": "list[str]"}, of_labels=("knn", "linear probe"),
        fault=_unknown_protocol,
    ),
    "embed": StageKind("embedding.stage", EMBEDDING, gives="features"),
    "curate": StageKind(
        "curating.stage", CURATION, gives="images", takes={"pool": True, "seed": False, "test": False},
        fault=_retrieval_fault,
    ),
    "masks": StageKind(
        "of_a_run.masks", {"data": "str | None", "every": "Positive", "stride": "Count"}, gives="images", begins=True
    ),
    "export": StageKind("of_a_run.export", EXPORT),
    "losses": StageKind("of_a_run.losses", {}),
    "study": StageKind("studying.stage", {"plots": "dict[str, Any]", "title": "str"}, gathers=True),
}  # fmt: skip
