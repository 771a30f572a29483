"""What stands at a line: a tensor's name above it and its shape below, a relation's words beside it; room for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ..elements.measure import NAME, NOTE, SHAPE, Run, runs_width, symbol, width
from ..elements.picture import Edge, Panel
from ..elements.place import Point

Room = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True)
class Label:
    """Words at a line: `above` in the letters of mathematics, `below` small and grey; or both in one row."""

    above: tuple[Run, ...]
    below: str
    width: float
    kind: str = "data"
    is_row: bool = False
    owner: str = ""  # of a relation: the box that it starts from
    end: str = ""  # and the one that it leads to
    x: float = 0.0
    y: float = 0.0  # of the line above which the name stands
    low: float = 0.0  # of the line below which the shape stands
    is_down: bool = False  # data flows down: a relation's words stand above and below it
    is_split: bool = False  # those of a write, too
    edge: int = -1  # number of the line in the panel

    @property
    def lines(self) -> tuple[str, ...]:
        """A relation's words in two lines: EMA, and how it runs."""
        is_two = self.kind == "ema" or self.is_split
        first, _, rest = self.above[0].text.partition(" ") if is_two else (self.above[0].text, "", "")
        return (first, rest) if rest else (first,)

    @property
    def wide(self) -> float:
        """How wide the longest line of a relation's words is."""
        return max(width(line, NOTE) for line in self.lines)

    @property
    def room(self) -> Room:
        """The rectangle that its words take."""
        if self.owner and self.is_down and len(self.lines) > 1:
            return self._between(self.y - 14, self.y + 14)
        if self.owner:
            return self._between(self.y - 6, self.y + 7)
        top = self.y - (15 if self.above else 0) if not self.is_row else self.y - 14
        return self._between(top, self.low + 13 if self.below and not self.is_row else self.low)

    @property
    def shape_room(self) -> Room | None:
        """The rectangle of a shape that stands below its line."""
        is_below = self.below and not self.is_row and not self.owner
        return self._between(self.low + 4, self.low + 12) if is_below else None

    @property
    def name_room(self) -> Room | None:
        """The rectangle of a name that stands above its line."""
        return self._between(self.y - 13, self.y - 4) if self.above and not self.owner else None

    def _between(self, top: float, bottom: float) -> Room:
        return self.x - self.width / 2, top, self.x + self.width / 2, bottom

    def at(self, x: float, y: float, low: float) -> Label:
        """The label with its place."""
        return replace(self, x=x, y=y, low=low)


def line_label(edge: Edge, shapes: bool, is_row: bool, *, is_down: bool = False) -> Label:
    """The label of a data line."""
    if edge.kind == "write":
        return Label((Run(edge.label),), "", width(edge.label, NOTE) + 4, "write")
    above = symbol(edge.name) if edge.name else ()
    if edge.port:
        above = (*above, Run(" " if above else ""), Run(edge.port.replace("_", " "), is_italic=True))
    below = edge.shape if shapes else ""
    wide, small = runs_width(above, NAME), width(below, SHAPE)
    if is_down:  # of several lines side by side each has its name only
        below, small = ("", 0.0) if is_row and above else (below, small)
        gap = 6.0 if above and below else 0.0
        return Label(above, below, wide + gap + small, is_row=True, is_down=True)
    if is_row and above and below:
        return Label(above, below, wide + 6 + small, is_row=True)
    return Label(above, below, max(wide, small))


def relation_labels(panel: Panel, flow: set[int]) -> dict[int, Label]:
    """The words of relations, by number of the line; what was said in full once is said short again."""
    said: set[str] = set()
    found: dict[int, Label] = {}
    for number, edge in enumerate(panel.edges):
        if edge.kind == "data" or number in flow or not edge.label:
            continue
        text = edge.label
        if text in said:
            text = text.split()[0] if edge.kind == "ema" else "" if edge.kind == "same" else text
        said.add(edge.label)
        if text:
            found[number] = Label((Run(text),), "", width(text, NOTE), edge.kind, owner=edge.source, end=edge.target)
    return found


def uncovered(labels: Sequence[Label]) -> list[Label]:
    """The labels without the shapes that stand on a name, or on the shape of a label before."""
    found: list[Label] = []
    for label in labels:
        taken = [other.name_room for other in labels if other is not label] + [other.shape_room for other in found]
        mine = label.shape_room
        found.append(replace(label, below="") if mine and any(room and meet(mine, room) for room in taken) else label)
    return found


def meet(one: Room, other: Room) -> bool:
    """Whether two rooms overlap."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def stop_room(edge: Edge, *, is_down: bool = False, is_narrow: bool = False) -> float:
    """The room that a stop-gradient takes on its line; on a narrow sheet it has no word."""
    if not edge.stop:
        return 0.0
    return 22.0 if is_down else 24.0 if is_narrow else width("stop-grad", NOTE, is_bold=True) + 14


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
