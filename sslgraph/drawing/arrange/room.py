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

    @property
    def sides(self) -> list[Room]:
        """The room of its outline."""
        left, top, right, bottom = self.left, self.top, self.right, self.bottom
        corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
        return [(a + 1, b + 1, c - 1, d - 1) for a, b, c, d in rooms_of(corners)]


def rooms_of(points: list[Point]) -> list[Room]:
    """The room of each piece of a line."""
    return [
        (min(x0, x1) - 2, min(y0, y1) - 2, max(x0, x1) + 2, max(y0, y1) + 2) for (x0, y0), (x1, y1) in pairwise(points)
    ]
