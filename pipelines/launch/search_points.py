"""The points of a search as plain numbers, and random points where nothing else chooses them."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Literal

Scale = Literal["linear", "log", "whole"]
Point = tuple[float, ...]  # of each axis its value, or the number of its choice
LISTED = 10_000  # so many points are listed as a whole; of more, some are drawn


@dataclass(frozen=True)
class Axis:
    """One of `choices`; where there are none, a number from `low` to `high`, both included."""

    choices: int = 0
    low: float = 0.0
    high: float = 0.0
    scale: Scale = "linear"

    @property
    def points(self) -> float:
        """How many different values it has."""
        if self.choices:
            return self.choices
        return self.high - self.low + 1 if self.scale == "whole" else math.inf

    def drawn(self, draw: random.Random) -> float:
        """One of its values; between two numbers each is as likely, on its scale."""
        if self.choices:
            return draw.randrange(self.choices)
        if self.scale == "whole":
            return draw.randint(int(self.low), int(self.high))
        if self.scale == "linear":
            return draw.uniform(self.low, self.high)
        found = math.exp(draw.uniform(math.log(self.low), math.log(self.high)))
        return min(max(found, self.low), self.high)


def points(axes: Sequence[Axis]) -> float:
    """How many different points there are."""
    return math.prod(axis.points for axis in axes)


def drawn(axes: Sequence[Axis], number: int, *, seed: int) -> list[Point]:
    """So many different points, or all where there are fewer. Those of a smaller number come first in a larger one."""
    return list(islice(_sequence(axes, seed), number))


def _sequence(axes: Sequence[Axis], seed: int) -> Iterator[Point]:
    draw = random.Random(seed)
    total = points(axes)
    if total <= LISTED:
        there = list(product(*(_values(axis) for axis in axes)))
        draw.shuffle(there)
        yield from there
        return
    seen = set[Point]()
    while len(seen) < total / 2:  # nobody asks for so many
        point = tuple(axis.drawn(draw) for axis in axes)
        if point not in seen:
            seen.add(point)
            yield point


def _values(axis: Axis) -> Sequence[float]:
    return range(axis.choices) if axis.choices else range(int(axis.low), int(axis.high) + 1)
