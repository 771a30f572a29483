"""A real run, small enough to be made for a test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sslgraph.pipelines.storage import checkpoint
from sslgraph.pipelines.train.loop import train
from sslgraph.pipelines.train.start.prepare import settled

SMALL: dict[str, Any] = {
    "data.images": 96,
    "data.test_images": 40,
    "batch": 16,
    "epochs": 2,
    "nets.f.width": 8,
    "evaluate": {"knn": {"every": "1 epoch"}},
}


def trained(folder: Path, recipe: str = "demo/simclr", **overrides: Any) -> Path:
    """A run of a few steps."""
    given = {**SMALL, **{name.replace("__", "."): value for name, value in overrides.items()}}
    train(settled({"recipe": recipe, "overrides": given, "out": str(folder)}))
    return folder


def rewrite(folder: Path, text: str) -> None:
    """Gives a run another text, as if it had been trained with that one."""
    for saved in checkpoint.complete(folder / "checkpoints"):
        marker = json.loads((saved / checkpoint.MARKER).read_text())
        marker["files"][checkpoint.TEXT] = len(text.encode())
        (saved / checkpoint.TEXT).write_text(text)
        (saved / checkpoint.MARKER).write_text(json.dumps(marker))
    (folder / checkpoint.TEXT).write_text(text)
