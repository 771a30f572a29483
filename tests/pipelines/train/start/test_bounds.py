"""A checkpoint that fits in every name and shape, and still can't be the state of a run, is refused in one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from sslgraph.errors import SslgraphError
from sslgraph.pipelines.evaluate.evaluate import evaluate
from sslgraph.pipelines.storage import checkpoint
from sslgraph.pipelines.train.loop import train

DEEPCLUSTER = {
    "data.images": 64, "data.test_images": 10, "batch": 16, "epochs": None, "steps": 2, "evaluate": {},
    "ops.kmeans.k": 5, "ops.reduce.out": 8,
}  # fmt: skip
MOCO = {
    "data.images": 64, "data.test_images": 10, "batch": 16, "epochs": None, "steps": 2, "evaluate": {},
    "state.queue.size": 32, "nets.f.width": 4,
}  # fmt: skip
CURE = "remove the folder to continue from the one before it"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two finished runs: one holds labels of images, the other a queue with a pointer."""
    found = {}
    for name, given in (("deepcluster", DEEPCLUSTER), ("moco_v2", MOCO)):
        found[name] = tmp_path_factory.mktemp(name) / "run"
        train({"recipe": f"demo/{name}", "overrides": given, "out": str(found[name])})
        (found[name] / "summary.json").unlink()
    return found


@pytest.mark.parametrize(
    ("run", "file", "name", "value", "says"),
    [
        (
            "deepcluster",
            "method",
            "parts.labels.labels",
            5,
            "'labels.labels' holds the label 5, and there are 5",
        ),
        ("deepcluster", "method", "parts.labels.labels", 64, "'labels.labels' holds 64, and it is from -100 to 63"),
        ("moco_v2", "method", "parts.queue.pointer", 32, "'queue.pointer' holds 32, and it is from 0 to 31"),
        ("moco_v2", "method", "parts.queue.pointer", -1, "'queue.pointer' holds -1, and it is from 0 to 31"),
        ("moco_v2", "method", "parts.f.bn1.num_batches_tracked", -7, "holds -7, and it is 0 or more"),
        ("moco_v2", "method", "parts.f.conv1.weight", float("nan"), "'f.conv1.weight' holds numbers that are nan or"),
        (
            "moco_v2",
            "optimizer",
            "f.conv1.weight",
            float("inf"),
            "the optimizer's '.*' .*for 'f.conv1.weight'",
        ),
    ],
)
def test_impossible_values_are_named_before_a_step_is_done(
    runs: dict[str, Path], run: str, file: str, name: str, value: float, says: str
) -> None:
    *_, path = checkpoint.complete(runs[run] / "checkpoints")
    whole = (path / f"{file}.pt").read_bytes()
    content: dict[str, Any] = torch.load(path / f"{file}.pt", weights_only=True)
    tensors = content[name].values() if file == "optimizer" else [content[name]]
    for tensor in tensors:
        tensor[(0,) * tensor.ndim] = value
    torch.save(content, path / f"{file}.pt")
    marked(path)
    given = DEEPCLUSTER if run == "deepcluster" else MOCO
    try:
        with pytest.raises(SslgraphError, match=f"step_00000002 can't be the state of a run: .*{says}.*{CURE}"):
            train({"recipe": f"demo/{run}", "overrides": given, "out": str(runs[run])})
        if file == "method":
            with pytest.raises(SslgraphError, match="can't be the state of a run"):
                evaluate(runs[run])
    finally:
        (path / f"{file}.pt").write_bytes(whole)
        marked(path)


def test_a_checkpoint_whose_folder_says_another_step_is_refused(tmp_path: Path) -> None:
    saved = checkpoint.save(tmp_path, checkpoint.Checkpoint("text", 2, {}, {}))
    saved.rename(tmp_path / "step_00009999")
    with pytest.raises(SslgraphError, match=r"step_00009999 is damaged .*\(it was written at step 2\)"):
        checkpoint.load(tmp_path / "step_00009999")


def marked(path: Path) -> None:
    """Makes the marker fit the files again, as one who knows the format would."""
    marker = json.loads((path / "COMPLETE").read_text())
    marker["files"] = {name: (path / name).stat().st_size for name in marker["files"]}
    (path / "COMPLETE").write_text(json.dumps(marker))
