"""Decides when a run saves: by steps, or by epochs and the clock; a stop saves too, and no step is saved twice."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from sslgraph import collectives
from sslgraph.ranks import sharding
from sslgraph.schedules import Clock, duration

from ..measure.online import CHOOSING
from ..storage import checkpoint, interrupt, run_folder
from ..storage.checkpoint import Checkpoint
from ..storage.interrupt import Interrupt
from .run import Run

PAUSE_S = 600.0  # where a recipe says nothing: an epoch, and at least this many seconds, between two checkpoints


def settings(wish: Mapping[str, Any], clock: Clock) -> dict[str, Any]:
    """A recipe's `checkpoint: {every: 10 epochs, keep: 2, best: knn}` as fields of a run."""
    every, pause = clock.steps_per_epoch, PAUSE_S
    if wish.get("every") is not None:
        every, pause = max(1, round(duration(wish["every"]).steps(clock))), 0.0
    return {
        "checkpoint_every": every, "checkpoint_pause": pause, "keep": int(wish.get("keep", 2)),
        "best": CHOOSING if wish.get("best") else None,
    }  # fmt: skip


class Saver:
    """Saves a run where it is due, after its last step, and where it is asked to stop.

    All ranks decide alike. They ask each other only where they meet anyway, every `run.record.every` steps; whether it
    is time to save is for the first rank's clock to say.
    """

    def __init__(self, run: Run, asking: Interrupt, *, saved: int | None) -> None:
        self.run, self.asking, self.saved = run, asking, saved
        self._since = time.monotonic()

    def after(self, step: int) -> bool:
        """Saves after `step` steps if it is due; gives whether the run stops here."""
        asked, is_time = self._agreed(step)
        is_last = step == self.run.clock.total_steps
        if is_last or asked or is_time or self._is_due(step):
            self.save(step)
        return asked and not is_last

    def save(self, step: int) -> None:
        """Saves unless this very step is saved already."""
        if step != self.saved:
            with self.run.record.aside():
                save(self.run, step)
            self.saved, self._since = step, time.monotonic()

    def stopped(self, step: int) -> str:
        """Ends a run that stops: what is said of it."""
        self.run.record.close()
        if collectives.rank() == 0:
            interrupt.withdraw(self.run.folder)
        workers = f" --workers {collectives.ranks()}" if collectives.ranks() > 1 else ""
        again = f"sslgraph train --resume {self.run.place}{workers}{self.run.start.words}"
        return f"Stopped at step {step}, checkpoint saved. Continue: {again}"

    def _is_due(self, step: int) -> bool:
        return not self.run.checkpoint_pause and self.run.checkpoint_every > 0 and step % self.run.checkpoint_every == 0

    def _is_time(self, step: int) -> bool:
        """Whether an epoch and the pause have passed, whichever is longer in coming."""
        pause, steps = self.run.checkpoint_pause, step - (self.saved or 0)
        return pause > 0 and steps >= self.run.checkpoint_every and time.monotonic() - self._since >= pause

    def _agreed(self, step: int) -> tuple[bool, bool]:
        """Whether any rank is asked to stop, and whether the first one finds that it is time to save."""
        asked, is_time = self.asking.asked, self._is_time(step)
        if collectives.ranks() == 1:
            return asked, is_time
        if step % self.run.record.every:
            return False, False
        mine = torch.tensor([float(asked), float(is_time and collectives.rank() == 0)], device=self.run.device)
        any_asked, first_is_time = (collectives.all_sum(mine) > 0).tolist()
        return any_asked, first_is_time


def save(run: Run, step: int) -> Path:
    """Writes a checkpoint on the first rank while the others wait. The record of its steps is on the disk before."""
    run.record.keep()
    weights, momenta = sharding.whole(run.method.state_dict()), sharding.whole(run.optimizer.state_dict())
    about = {"seed": run.seed, "losses": run.record.losses, "data": dict(run.data), "forms": run.forms.record()}
    whole = Checkpoint(run.text, step, weights, momenta, about, run.record.measures)
    run_folder.by_the_first(run.device, lambda: checkpoint.save(run.checkpoints, whole, keep=run.keep, best=run.best))
    final = run.checkpoints / f"step_{step:08d}"
    if run.report is not None and step:
        run.report(final, run.record.measures)
    return final
