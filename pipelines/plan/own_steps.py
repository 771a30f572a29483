"""Measures this machine: images a second of the feed alone, and operations a second of whole steps."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from ..machine.chosen_forms import Forms
from ..train.loop import one_step
from ..train.start.prepare import prepare


@dataclass(frozen=True)
class OwnSteps:
    """Images a second: of the feed alone, its views included, and of whole training steps; where, in which forms."""

    feed: float
    steps: float
    device: str
    forms: Forms


def own_steps(recipe: str, overrides: Mapping[str, Any], plugins: tuple[str, ...] = (), *, steps: int = 3) -> OwnSteps:
    """Times batches of the feed and training steps of a recipe, after one of each that is not timed."""
    with tempfile.TemporaryDirectory(prefix="sslgraph-plan-") as folder:
        given = {**overrides, "evaluate": {}}
        run = prepare({"recipe": recipe, "overrides": given, "plugins": plugins, "out": folder})
        run.record.abandon()
        run.feed.ahead = 0  # type: ignore[attr-defined]
        run.record.step = lambda *_: None  # type: ignore[method-assign]
        images = int(run.facts["batch"])
        batches = iter(run.feed.batches(0, steps + 1))
        made = [next(batches)]
        start = time.perf_counter()
        made += list(batches)
        _wait(run.device)
        feed = images * steps / (time.perf_counter() - start)
        one_step(run, made[0], 0)
        _wait(run.device)
        start = time.perf_counter()
        for step in range(1, steps + 1):
            one_step(run, made[step], step)
        _wait(run.device)
        return OwnSteps(feed, images * steps / (time.perf_counter() - start), str(run.facts["device"]), run.forms)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
