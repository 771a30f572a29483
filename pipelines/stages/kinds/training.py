"""`do: train`: a recipe trained as `sslgraph train` does, and on from where it stopped; the artefact is the run folder.

`fine_tune` and `distil` are trainings, too, whose encoder gives class scores: they also say how many are right.
"""

from __future__ import annotations

from typing import Any

from ...check import check
from ...evaluate.restored import newest, opened
from ...feed.feed import Source
from ...feed.open_source import open_source
from ...launch.launch import launch
from ...machine import machine
from ...measure.features import extract
from .work import StageKind, Work

SETTINGS = {"set": "dict[str, Any]", "data": "str | None", "labels": "Any"}


def train(work: Work) -> dict[str, Any]:
    """Trains what the stage's request says, on some of the images where it says `labels:`."""
    request = dict(work.request)
    if (labels := work.stage.settings.get("labels")) is not None:
        request["overrides"] = {**request["overrides"], "data.limit": _limit(work, labels)}
    summary = launch({**request, "out": str(work.folder)})
    return {"steps": summary["steps"], **summary.get("measures", {})}


def classify(work: Work) -> dict[str, Any]:
    """The same, and the share of test images whose highest score is that of their class."""
    said = train(work)
    found = opened(work.folder, newest(work.folder), device=machine.device())
    scores = extract(found.trained, _source(work, "test"), found.view, device=machine.device())
    values, labels = scores.labelled()
    return {**said, "accuracy": (values.argmax(1) == labels).double().mean().item()}


def _limit(work: Work, labels: str | int) -> int:
    """How many training images `labels: 1 %` are; a number is that many."""
    if isinstance(labels, int):
        return labels
    share = float(labels.removesuffix("%")) / 100
    return max(1, round(share * len(_source(work, "train"))))


def _source(work: Work, split: str) -> Source:
    assert work.recipe is not None
    data, plugins = work.recipe.spec.data, check.allowed_in(work.recipe, work.plugins)
    found: Source = open_source(data.use, {**data.settings, "split": split}, plugins)
    return found


def labels_problem(labels: Any) -> str:
    """What is wrong with `labels:`, in words; "" for a count of images and for a share such as 10 %."""
    if isinstance(labels, int) and not isinstance(labels, bool) and labels > 0:
        return ""
    try:
        is_share = isinstance(labels, str) and labels.endswith("%") and 0 < float(labels.removesuffix("%")) <= 100
    except ValueError:
        is_share = False
    return "" if is_share else "must be a number of images, or a share of them such as 10 %"


TRAIN = StageKind(train, {"set": SETTINGS["set"], "data": "str | None"}, trains=True, of_labels=("knn",))
FINE_TUNE = StageKind(classify, SETTINGS, trains=True, of_labels=("accuracy", "knn"))
DISTIL = StageKind(classify, {"set": SETTINGS["set"], "data": "str | None"}, trains=True, of_labels=("accuracy", "knn"))
