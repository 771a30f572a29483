"""Where a box stands."""

from __future__ import annotations

from dataclasses import dataclass

from .measure import Extent

Point = tuple[float, float]


@dataclass(frozen=True)
class Place:
    """The centre of a box, and its room around it."""

    x: float
    y: float
    extent: Extent

    @property
    def room(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the box with all that stands around it."""
        left, up, right, down = self.extent.room
        return self.x - left, self.y - up, self.x + right, self.y + down

    @property
    def left(self) -> float:
        """The left side of the box itself."""
        return self.x - self.extent.width / 2

    @property
    def right(self) -> float:
        """Its right side."""
        return self.x + self.extent.width / 2

    @property
    def top(self) -> float:
        """Its upper side."""
        return self.y - self.extent.height / 2

    @property
    def bottom(self) -> float:
        """Its lower side."""
        return self.y + self.extent.height / 2
