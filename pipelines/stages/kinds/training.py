"""`do: train`: a recipe trained as `sslgraph train` does, and on from where it stopped; the artefact is the run folder.

`fine_tune` and `distil` are trainings, too, whose encoder gives class scores: they also say how many are right.
"""

from __future__ import annotations

from typing import Any

from ...check import check
from ...evaluate.restored import newest, opened
from ...feed.feed import Source
from ...feed.open_source import images_of
from ...launch.launch import launch
from ...machine import machine
from ...measure.features import extract
from .work import Work


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
    return images_of(work.recipe.spec.data, split, check.allowed_in(work.recipe, work.plugins))
