"""Turns the learning rate of a recipe into that of a step: the rule, its factor, and both in words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sslgraph.errors import SslgraphError
from sslgraph.schedules import Schedule

RULES = ("none", "batch/256", "sqrt(batch)", "sqrt(batch/1024)")


@dataclass(frozen=True)
class Rule:
    """What every learning rate of a recipe is multiplied with, as a function of the global batch.

    A rule names its divisor: one word for both `batch/256` and `batch/1024` has misled users of other libraries.
    """

    text: str
    factor: float

    def __str__(self) -> str:
        return "" if self.text == "none" else f" x {self.text} = {number(self.factor)}"


def rule(text: str, *, batch: int) -> Rule:
    """Reads `none`, `batch/256` (linear) or `sqrt(batch/1024)`; the divisor is free and defaults to 1."""
    words = re.fullmatch(r"(sqrt\()?batch(?:/(\d+))?(\))?", text.replace(" ", ""))
    if text == "none":
        return Rule(text, 1.0)
    if words is None or bool(words[1]) != bool(words[3]) or words[2] == "0":
        raise SslgraphError(f"lr_rule: '{text}' is not known; write one of {', '.join(RULES)}; any divisor will do")
    ratio = batch / int(words[2] or 1)
    return Rule(text.replace("batch", str(batch)), ratio**0.5 if words[1] else ratio)


def in_words(schedule: Schedule, factor: float = 1.0) -> str:
    """A schedule with its numbers multiplied by `factor`: "warm-up 10 epochs from 0, then cosine 0.6 to 0"."""
    values = [number(value * factor) for value in schedule.values]
    times = [f"{number(time.amount)} {time.unit}" for time in schedule.times]
    by_epoch = ", once an epoch" if schedule.per_epoch else ""
    if schedule.kind == "warmup" and schedule.then is not None:
        return f"warm-up {times[0]} from {values[0]}, then {in_words(schedule.then, factor)}{by_epoch}"
    if schedule.kind == "steps":
        drops = "".join(f", {value} from {time}" for value, time in zip(values[1:], times, strict=True))
        return f"{values[0]}{drops}{by_epoch}"
    if schedule.kind == "constant":
        return values[0]
    return f"{schedule.kind} {values[0]} to {values[1]}{f' over {times[0]}' if times else ''}{by_epoch}"


def number(value: float) -> str:
    """Four significant digits, without trailing zeros."""
    return f"{value:.4g}"
