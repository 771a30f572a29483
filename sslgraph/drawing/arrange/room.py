"""The room that frames and lines take on paper."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from ..elements.place import Point
from .labels import Room


@dataclass(frozen=True)
class Ground:
    """The place of the frames of neighbouring branches; `is_low`: their name stands below."""

    title: str
    boxes: tuple[str, ...]
    left: float
    top: float
    right: float
    bottom: float
    is_low: bool


def rooms_of(points: list[Point]) -> list[Room]:
    """The room of each piece of a line."""
    return [
        (min(x0, x1) - 2, min(y0, y1) - 2, max(x0, x1) + 2, max(y0, y1) + 2) for (x0, y0), (x1, y1) in pairwise(points)
    ]
