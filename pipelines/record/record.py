"""Writes what happens in a run: metrics.jsonl (the truth), the trackers, and the display.

Losses stay on their device and are fetched together every `every` steps, so that no step waits for the one before it.
"""

from __future__ import annotations

import errno
import json
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, TextIO, TypeVar

import torch
from torch import Tensor

from sslgraph import collectives
from sslgraph.amounts import counted
from sslgraph.errors import SslgraphError
from sslgraph.files import whole_file

from ..storage.metrics_file import NAME, parsed
from .display import Display, Pace
from .trackers import Shown, Trackers

T = TypeVar("T")
Span = Callable[[str], AbstractContextManager[Any]]
CURE = "lower the learning rate, warm up longer, clip gradients, or try precision: float32"


class NotFiniteError(SslgraphError):
    """A loss or a gradient is not a number in the step behind `done` steps."""

    def __init__(self, message: str, done: int) -> None:
        super().__init__(f"{message}; {CURE}")
        self.message, self.done = message, done


class Record:
    """The record of a run: one line for each step, with what monitors and an evaluation found after it.

    Steps are counted from 1 here: line "step": 5 is written after five steps. "step": 0 is an evaluation before the
    first one. Only the first rank writes; values are means over ranks. A resumed run cuts the file back to the step
    that it continues from, so each step has exactly one line.
    """

    def __init__(
        self, folder: Path, *, display: Display, batch: int, every: int = 20, tensorboard: bool = True,
        track: Sequence[str] = (), about: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        self.folder, self.display, self.batch = folder, display, batch
        self.every, self.tensorboard, self.track, self.about = every, tensorboard, track, about or {}
        self.measures: dict[str, float] = {}
        self.losses: dict[str, float] = {}
        self.broken: Mapping[int, str] = {}  # images that could not be read, by index, with the reason
        self.is_first = collectives.rank() == 0
        self._told = 0
        # What a monitor noted since the last fetch, by step.
        self.more: Callable[[], dict[int, dict[str, float]]] | None = None
        self._waiting: list[tuple[int, dict[str, float], Tensor]] = []
        self._newest: list[dict[str, Any]] = []  # the newest line: an evaluation after its step may add to it
        self._names: tuple[str, ...] = ()
        self._loss_names: tuple[str, ...] = ()
        self._seconds, self._seconds_waited, self._since, self._away = 0.0, 0.0, time.monotonic(), 0.0
        self._steps = 0
        self._file: TextIO | None = None
        self._trackers: Trackers | None = None

    def begin(self, done: int) -> None:
        """Opens the files of a run of which `done` steps are done, and starts the clock."""
        self._since = time.monotonic()
        if self.is_first:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._file = cut(self.folder / NAME, done).open("a", buffering=1)
            self._trackers = Trackers(self.track, tensorboard=self.tensorboard, say=self.display.say)
            self._trackers.begin(Shown(self.folder, done, self.about))

    def step(self, step: int, losses: Mapping[str, Tensor], measured: Mapping[str, float | Tensor]) -> None:
        """Notes a finished step."""
        tensors = {**losses, **{name: value for name, value in measured.items() if isinstance(value, Tensor)}}
        self._names = tuple(tensors)
        numbers = {name: value for name, value in measured.items() if not isinstance(value, Tensor)}
        with torch.no_grad():
            self._waiting.append((step, numbers, torch.stack([value.detach().float() for value in tensors.values()])))
        self._loss_names = tuple(losses)
        if len(self._waiting) >= self.every:
            self.fetch()

    def fetch(self) -> None:
        """Brings what waits from the device, writes and shows it; a loss that is not a number ends the run here."""
        if not self._waiting:
            return
        rows = collectives.all_sum(torch.stack([row for _, _, row in self._waiting])) / collectives.ranks()
        looks = self.more() if self.more is not None else {}
        lines = [
            {"step": step, **dict(zip(self._names, row, strict=True)), **numbers, **looks.get(step, {})}
            for (step, numbers, _), row in zip(self._waiting, rows.tolist(), strict=True)
        ]
        self._waiting.clear()
        pace = self._pace(lines[-1]["step"], len(lines))
        lines[-1] |= {"images_per_second": round(pace.images_per_second, 1), "waiting": round(pace.waiting, 4)}
        self._put(lines)
        for step, values in {**looks, lines[-1]["step"]: lines[-1]}.items():
            self._plot(step, values)
        self._refuse_what_is_no_number(lines)
        self.losses = {name: lines[-1][name] for name in self._loss_names}
        if self.is_first:
            self.display.show(int(lines[-1]["step"]), sum(self.losses.values()), self.measures, pace)
            self._tell_broken()

    def keep(self) -> None:
        """Notes are on the disk when this returns: a checkpoint must not know of steps that have no line."""
        self.fetch()
        self._flush()
        if self._file is not None:
            self._refuse_a_lost_file()
            os.fsync(self._file.fileno())

    def evaluation(self, step: int, measures: Mapping[str, float]) -> None:
        """Notes what was measured after `step` steps."""
        self.fetch()
        self.measures |= measures
        if not self._newest or self._newest[0]["step"] != step:
            self._put([{"step": step}])
        self._newest[0] |= measures
        self._plot(step, measures)
        if self.is_first:
            self.display.measured(step, self.measures)

    def timed(self, batches: Iterable[T], span: Span = nullcontext) -> Iterator[T]:
        """The same batches; the time that is spent waiting for them is counted, each time in a span."""
        iterator = iter(batches)
        while True:
            start = time.monotonic()
            try:
                with span("waiting"):
                    batch = next(iterator)
            except StopIteration:
                return
            finally:
                self._seconds_waited += time.monotonic() - start
            yield batch

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Time that is not training: evaluation and checkpoints do not slow the images a second down."""
        start = time.monotonic()
        try:
            yield
        finally:
            self._away += time.monotonic() - start

    @property
    def images_per_second(self) -> float:
        """Over all steps of this process, evaluation and checkpoints aside; 0 before the first fetch."""
        return self.batch * self._steps / self._seconds if self._seconds else 0.0

    def close(self) -> None:
        """Writes what still waits and closes the files."""
        self.fetch()
        self._flush()
        self.abandon()

    def abandon(self) -> None:
        """Closes the files as they are: for a run that ends by an error."""
        self.display.close()
        with suppress(OSError):  # the run ends by one already
            self._flush()
        for file in (self._file, self._trackers):
            if file is not None:
                with suppress(OSError):
                    file.close()

    def _pace(self, step: float, steps: int) -> Pace:
        now = time.monotonic()
        seconds = max(now - self._since - self._away, 1e-9)
        waited, self._seconds_waited, self._since, self._away = self._seconds_waited, 0.0, now, 0.0
        self._seconds, self._steps = self._seconds + seconds, self._steps + steps
        left = (self.display.total_steps - step) * self._seconds / self._steps
        return Pace(self.batch * steps / seconds, min(waited / seconds, 1.0), left)

    def _put(self, lines: list[dict[str, Any]]) -> None:
        """Writes lines, and keeps the newest one back."""
        *whole, newest = *self._newest, *lines
        self._newest = [newest]
        self._write(whole)

    def _flush(self) -> None:
        newest, self._newest = self._newest, []
        self._write(newest)

    def _write(self, lines: list[dict[str, Any]]) -> None:
        if self._file is None or not lines:
            return
        self._refuse_a_lost_file()
        for line in lines:
            # JSON has no word for nan: a strict reader would refuse the whole file.
            plain = {name: value if math.isfinite(value) else None for name, value in line.items()}
            self._file.write(json.dumps(plain) + "\n")

    def _plot(self, step: int, values: Mapping[str, float]) -> None:
        if self._trackers is not None:
            self._trackers.write(step, values, self._loss_names)

    def _tell_broken(self) -> None:
        if len(self.broken) > self._told:
            self._told, newest = len(self.broken), list(self.broken.values())[-1]
            self.display.say(f"Replaced {counted(self._told, 'unreadable image')} by the next one; latest: {newest}")

    def _refuse_a_lost_file(self) -> None:
        """A folder that is removed under a run takes the lines with it, and writing to the open file tells nothing."""
        path = self.folder / NAME
        if self._file is not None and not os.path.samestat(os.fstat(self._file.fileno()), path.stat()):
            raise FileNotFoundError(errno.ENOENT, "the run's own file was replaced", str(path))

    def _refuse_what_is_no_number(self, lines: list[dict[str, Any]]) -> None:
        for line in lines:
            for name in (*self._loss_names, "gradient_norm"):
                if not math.isfinite(line.get(name, 0.0)):
                    what = f"the loss '{name}'" if name in self._loss_names else "the norm of the gradients"
                    raise NotFiniteError(f"{what} is {line[name]} at step {line['step']}", int(line["step"]) - 1)


def cut(path: Path, done: int) -> Path:
    """Keeps the whole lines of a metrics file up to step `done`; garbled and half-written ones go."""
    if path.is_file():
        text = path.read_text(encoding="utf-8", errors="replace")
        kept = [line for line in text.splitlines() if (found := parsed(line)) and found["step"] <= done]
        if len(kept) < text.count("\n") or not text.endswith("\n"):
            whole_file.put(path, "".join(f"{line}\n" for line in kept).encode())
    return path
