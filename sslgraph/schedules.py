"""A number, or how it changes over the run: constant, cosine, linear, steps, warm-up. Imports no torch.

Cosine and linear go from their first value to their last over the rest of the run, or `over` a length of it; after a
warm-up they begin where it ends. `at` counts from the start of the run always, as papers count their epochs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sslgraph.errors import SslgraphError

FORMS = (
    "0.1",
    "{cosine: [0.996, 1.0]}",
    "{linear: [0.04, 0.07], over: 30 epochs}",
    "{steps: [0.1, 0.01], at: [60 epochs]}",
    "{warmup: 10 epochs, then: {cosine: [0.4, 0]}}",
)


@dataclass(frozen=True)
class Clock:
    """What durations are measured in: steps in an epoch and steps in the whole run."""

    steps_per_epoch: int
    total_steps: int


@dataclass(frozen=True)
class Duration:
    """A stretch of the run: `amount` steps, epochs, or per cent of the run."""

    amount: float
    unit: str

    def steps(self, clock: Clock) -> float:
        """Its length in optimizer steps."""
        if self.unit == "steps":
            return self.amount
        return self.amount * (clock.steps_per_epoch if self.unit == "epochs" else clock.total_steps / 100)


def duration(text: Any) -> Duration:
    """Reads "30 epochs", "1 epoch", "500 steps" or "10 %"."""
    words = str(text).replace("%", " %").split()
    units = {"epoch": "epochs", "epochs": "epochs", "step": "steps", "steps": "steps", "%": "%"}
    if len(words) == 2 and words[1] in units and re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,12})?", words[0]):
        return Duration(float(words[0]), units[words[1]])
    raise SslgraphError(f"'{text}' is not a length of time; write for example '30 epochs', '500 steps' or '10 %'")


@dataclass(frozen=True)
class Schedule:
    """A value for each optimizer step."""

    kind: str
    values: tuple[float, ...]
    times: tuple[Duration, ...] = ()
    then: Schedule | None = None
    per_epoch: bool = False

    def at(self, step: int, clock: Clock) -> float:
        """The value that step `step` (from 0) works with."""
        return self._value(float(step), clock, 0.0)

    @property
    def is_constant(self) -> bool:
        """Whether the value never moves."""
        return self.kind == "constant"

    @property
    def first(self) -> float:
        """The value at the very start."""
        return self.values[0]

    @property
    def every_value(self) -> tuple[float, ...]:
        """The values that it starts from, goes through and ends at; all others are between them."""
        return (*self.values, *(self.then.every_value if self.then else ()))

    def _value(self, step: float, clock: Clock, begin: float) -> float:
        """The value at a step of the run, for a schedule that starts to move at step `begin`."""
        if self.kind == "constant":
            return self.values[0]
        if self.per_epoch:
            step = max(begin, step // clock.steps_per_epoch * clock.steps_per_epoch)
        if self.kind == "steps":
            passed = sum(step >= time.steps(clock) for time in self.times)
            return self.values[passed]
        span = self.times[0].steps(clock) if self.times else clock.total_steps - begin
        if self.kind == "warmup":
            assert self.then is not None
            if step >= begin + span:
                return self.then._value(step, clock, begin + span)
            return self.values[0] + (self.then.first - self.values[0]) * (step - begin) / span
        start, end = self.values
        done = min((step - begin) / span, 1.0) if span > 0 else 1.0
        if self.kind == "linear":
            return start + (end - start) * done
        return end + (start - end) * 0.5 * (1 + math.cos(math.pi * done))


def schedule(value: Any) -> Schedule:
    """Reads a number or one of the mappings of the language; raises with the forms there are."""
    if _is_number(value):
        return Schedule("constant", (float(value),))
    if isinstance(value, Schedule):
        return value
    if isinstance(value, Mapping):
        found = [kind for kind in ("cosine", "linear", "steps", "warmup") if kind in value]
        if len(found) == 1:
            return _mapping(found[0], dict(value))
    raise SslgraphError(f"{value!r} is neither a number nor a schedule; write one of {', '.join(FORMS)}")


def is_schedule(value: Any) -> bool:
    """Whether a setting's value in a spec is written as a schedule (a mapping with one of its words)."""
    return isinstance(value, Mapping) and bool({"cosine", "linear", "steps", "warmup"} & set(value))


_MORE = {"cosine": {"over"}, "linear": {"over"}, "steps": {"at"}, "warmup": {"from", "then"}}


def _mapping(kind: str, value: dict[str, Any]) -> Schedule:
    if extra := set(value) - {kind, "by"} - _MORE[kind]:
        raise SslgraphError(f"a {kind} schedule has no '{sorted(extra)[0]}'; write one of {', '.join(FORMS)}")
    if value.get("by", "step") not in ("step", "epoch"):
        raise SslgraphError(f"by: {value['by']} is neither step nor epoch")
    per_epoch = value.get("by") == "epoch"
    if kind == "warmup":
        if "then" not in value:
            raise SslgraphError("a warm-up needs then: the number or schedule that follows it")
        start = value.get("from", 0.0)
        if not _is_number(start):
            raise SslgraphError(f"from: {start!r} must be a number, the value that a warm-up starts with")
        return Schedule(kind, (float(start),), (duration(value[kind]),), schedule(value["then"]), per_epoch)
    numbers = value[kind]
    if not isinstance(numbers, list | tuple) or not numbers or not all(_is_number(n) for n in numbers):
        raise SslgraphError(f"{kind}: {numbers!r} must be a list of numbers, for example {kind}: [0.1, 0.01]")
    values = tuple(float(n) for n in numbers)
    if kind == "steps":
        at = value.get("at", ())
        times = tuple(duration(time) for time in at) if isinstance(at, list | tuple) else (duration(at),)
        if len(times) != len(values) - 1:
            raise SslgraphError(f"steps: {len(values)} values need {len(values) - 1} times in at:, not {len(times)}")
        return Schedule(kind, values, times, None, per_epoch)
    if len(values) != 2:
        raise SslgraphError(f"{kind}: {list(values)} must name a first and a last value")
    return Schedule(kind, values, (duration(value["over"]),) if "over" in value else (), None, per_epoch)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
