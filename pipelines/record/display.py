"""What a person sees of a run: a progress bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Table

from sslgraph.amounts import percent

WAIT = 0.05
COLUMNS, BAR = 80, 12  # of the line of a run, and of the bar before it on a terminal
BESIDE = {"knn_random_encoder": "random encoder", "knn_pixels": "raw pixels"}


@dataclass(frozen=True)
class Pace:
    """How fast a run goes: images a second, the part of the time spent waiting for data, and seconds left."""

    images_per_second: float
    waiting: float
    seconds_left: float

    @property
    def left(self) -> str:
        """The time left, in words."""
        return f"{length(self.seconds_left)} left"

    @property
    def speed(self) -> str:
        """Images a second."""
        return f"{self.images_per_second:.0f} images/s"

    @property
    def wait(self) -> str:
        """The share of the time that goes into waiting for data, where it is worth a word."""
        return f"data wait {percent(self.waiting, 0)}" if self.waiting >= WAIT else ""


def plain_table(heads: Sequence[str], rows: Iterable[Sequence[str]], title: str | None = None) -> Table:
    """Columns without lines: the first one, and those without a heading, to the left, the others to the right."""
    shown = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for i, head in enumerate(heads):
        shown.add_column(head, justify="right" if i and head else "left")
    for row in rows:
        shown.add_row(*row)
    return shown


class Patient(Console):
    """A console whose reader may go away (`| head`): the run is then asked to stop, as by a terminal that is closed.

    Rich itself ends the program there, and the steps since the last checkpoint would be lost.
    """

    def on_broken_pipe(self) -> None:
        """Prints no more, and asks for a stop."""
        self.quiet = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        signal.raise_signal(signal.SIGHUP)


class Display:
    """Shows the newest numbers; lines come at most every `seconds`, the first and the last always.

    A terminal that was closed shows nothing, and ends no run: it has a checkpoint to save.
    """

    def __init__(self, *, total_steps: int, console: Console | None = None, seconds: float = 10.0) -> None:
        self.console = console or Patient(soft_wrap=True, highlight=False)
        self.total_steps, self.seconds = total_steps, seconds
        self._shown = float("-inf")
        self._bar: Progress | None = None
        self._task = TaskID(0)
        if self.console.is_terminal:
            self._bar = Progress(BarColumn(BAR), TextColumn("{task.description}"), console=self.console)
            self._task = self._bar.add_task("", total=total_steps)
            self._bar.start()

    def show(self, step: int, loss: float, measures: Mapping[str, float], pace: Pace) -> None:
        """The state of the run after `step` steps."""
        pieces = [pace.left, self._place(step), f"loss {loss:.4f}", _short(measures), pace.wait, pace.speed]
        line = fitted(pieces, COLUMNS - (BAR + 1 if self._bar is not None else 0))
        if self._bar is not None:
            with suppress(OSError):
                self._bar.update(self._task, completed=step, description=line)
        elif step == self.total_steps or time.monotonic() - self._shown >= self.seconds:
            self._shown = time.monotonic()
            self.say(line)

    def measured(self, step: int, measures: Mapping[str, float]) -> None:
        """What an evaluation found."""
        found = (
            f"{self._place(step)}  {knn(measures)}" if "knn" in measures else f"kNN before training: {beside(measures)}"
        )
        self.say(found)

    def say(self, text: str) -> None:
        """A text of its own, above the bar if there is one."""
        with suppress(OSError):
            self.console.print(text, markup=False)

    def close(self) -> None:
        """Leaves the bar as it is."""
        if self._bar is not None:
            with suppress(OSError):
                self._bar.stop()
            self._bar = None

    def _place(self, step: int) -> str:
        return f"step {step}/{self.total_steps}"


def fitted(pieces: Sequence[str], columns: int) -> str:
    """The pieces that are not empty beside each other, the last ones left out where they are too long."""
    shown = [piece for piece in pieces if piece]
    while len(shown) > 1 and len("  ".join(shown)) > columns:
        shown.pop()
    return "  ".join(shown)


def _short(measures: Mapping[str, float]) -> str:
    if "knn" not in measures:
        return ""
    random = measures.get("knn_random_encoder")
    return f"kNN {percent(measures['knn'])}" + ("" if random is None else f" (random {percent(random)})")


def knn(measures: Mapping[str, float]) -> str:
    """The nearest-neighbour accuracy, always with what an untrained encoder and raw pixels reach beside it."""
    if "knn" not in measures:
        return ""
    others = beside(measures)
    return f"kNN {percent(measures['knn'])}" + (f" ({others})" if others else "")


def beside(measures: Mapping[str, float]) -> str:
    """What nearest neighbours reach without any training."""
    return ", ".join(f"{name} {percent(measures[key])}" for key, name in BESIDE.items() if key in measures)


def length(seconds: float) -> str:
    """A length of time for people: 4:07, 2:04:07, 3 d 02:04:07."""
    days, rest = divmod(int(seconds), 86_400)
    hours, rest = divmod(rest, 3600)
    if days:
        return f"{days} d {hours:02}:{rest // 60:02}:{rest % 60:02}"
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"
