"""When a run saves: each step once, by steps or by epochs and the clock, on all ranks alike."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from toy_training import ToyFeed, toy_run
from two_ranks import Both

from sslgraph import collectives
from sslgraph.pipelines.storage import checkpoint
from sslgraph.pipelines.train import loop, saving
from sslgraph.pipelines.train.saving import Saver
from sslgraph.read import catalogue
from sslgraph.read.load import load_recipe
from sslgraph.schedules import Clock


class Stopped(ToyFeed):
    """A feed that asks the run to stop while it does a step."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.step = step

    def batches(self, start: int, stop: int) -> Iterator[Any]:
        for step, batch in enumerate(super().batches(start, stop), start + 1):
            if step == self.step:
                os.kill(os.getpid(), signal.SIGTERM)
            yield batch


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The steps that are saved, as often as they are."""
    really, found = checkpoint.save, list[int]()

    def save(folder: Path, whole: checkpoint.Checkpoint, **settings: Any) -> Path:
        found.append(whole.step)
        return really(folder, whole, **settings)

    monkeypatch.setattr(checkpoint, "save", save)
    return found


@pytest.mark.parametrize(("at", "steps"), [(8, [0, 4, 8]), (6, [0, 4, 6])])
def test_a_stop_saves_the_step_that_it_stops_at_once(
    tmp_path: Path, saved: list[int], at: int, steps: list[int]
) -> None:
    run = toy_run(tmp_path, checkpoint_every=4, keep=1)
    run.feed = Stopped(at)
    with pytest.raises(SystemExit):
        loop.loop(run)
    assert saved == steps
    with pytest.raises(SystemExit):  # it is asked again before it does anything
        saved.clear()
        (tmp_path / "stop").touch()
        loop.loop(toy_run(tmp_path, checkpoint_every=4, keep=1))
    assert saved == []


@pytest.mark.parametrize(("seconds_a_step", "steps"), [(1, [0, 20]), (60, [0, 10, 20]), (150, [0, 6, 12, 18, 20])])
def test_an_epoch_and_ten_minutes_lie_between_checkpoints_where_the_recipe_says_nothing(
    tmp_path: Path, saved: list[int], monkeypatch: pytest.MonkeyPatch, seconds_a_step: int, steps: list[int]
) -> None:
    """Six steps are an epoch of the toy, and its twenty steps are all there are."""
    run = toy_run(tmp_path, **saving.settings({}, Clock(6, 20)))
    run.method.now = -1
    monkeypatch.setattr(saving, "time", SimpleNamespace(monotonic=lambda: (run.method.now + 1) * seconds_a_step))
    loop.loop(run)
    assert saved == steps


def test_the_settings_of_a_recipe() -> None:
    clock = Clock(10, 100)
    found = saving.settings({}, clock)
    assert found == {"checkpoint_every": 10, "checkpoint_pause": 600.0, "keep": 2, "best": None}
    assert saving.settings({"best": "knn"}, clock) == {**found, "best": "knn_train"}
    asked = {"checkpoint_every": 20, "checkpoint_pause": 0.0, "keep": 5, "best": None}
    assert saving.settings({"every": "2 epochs", "keep": 5}, clock) == asked


@pytest.mark.parametrize("name", catalogue.names("recipes"))
def test_every_shipped_recipe_saves_before_its_end(name: str) -> None:
    recipe = load_recipe(name).spec
    clock = Clock(100, recipe.steps or 100 * (recipe.epochs or 0))
    assert 0 < saving.settings(recipe.checkpoint, clock)["checkpoint_every"] < clock.total_steps


def test_a_checkpoint_is_there_before_the_first_step(tmp_path: Path) -> None:
    """So a full disk is met at once, and recorded steps without a checkpoint are known to be a loss."""
    run = toy_run(tmp_path, baseline=lambda _: {"knn_pixels": 0.25})
    run.feed = SimpleNamespace(batches=_no_batch)  # type: ignore[assignment]
    with pytest.raises(InterruptedError):
        loop.loop(run)
    (first,) = checkpoint.complete(tmp_path / "checkpoints")
    assert checkpoint.step_of(first) == 0 and checkpoint.measures_of(first) == {"knn_pixels": 0.25}


def _no_batch(*_: int) -> Iterator[Any]:
    raise InterruptedError
    yield


def rehearsed(asked: Callable[[int], bool], seconds: Callable[[int], float]) -> list[int]:
    """The steps of thirty at which a run saves that has epochs of four and fetches losses every five steps.

    Ends with the step that it stops at, if it does.
    """
    now, found = [0], list[int]()
    run: Any = SimpleNamespace(
        clock=Clock(4, 30), checkpoint_every=4, checkpoint_pause=7.0, device=torch.device("cpu"),
        record=SimpleNamespace(every=5, aside=nullcontext),
    )  # fmt: skip
    asking: Any = SimpleNamespace(asked=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(saving, "save", lambda _, step: found.append(step))
        patch.setattr(saving, "time", SimpleNamespace(monotonic=lambda: seconds(now[0])))
        saver = Saver(run, asking, saved=0)
        for now[0] in range(1, 31):
            asking.asked = asked(now[0])
            if saver.after(now[0]):
                return [*found, -now[0]]
    return found


# One second a step on the first rank; on the second one the clock stands still, or runs away.
CHECKS: dict[str, Callable[[], Any]] = {
    "slow": lambda: rehearsed(lambda _: False, lambda step: 0.0 if collectives.rank() else float(step)),
    "fast": lambda: rehearsed(lambda _: False, lambda step: 1e9 * step if collectives.rank() else float(step)),
    "asked": lambda: rehearsed(lambda step: collectives.rank() == 1 and step > 11, lambda _: 0.0),
}


def test_all_ranks_save_when_the_first_ones_clock_says_so_and_stop_when_any_is_asked(both: Both) -> None:
    assert both("slow") == both("fast") == [[10, 20, 30]] * 2
    assert both("asked") == [[15, -15]] * 2
