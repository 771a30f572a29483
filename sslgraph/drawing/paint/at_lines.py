"""What stands at lines: the heads of arrows, and words."""

from __future__ import annotations

import math

from ..arrange.labels import Label
from ..elements.forms import Group, Path, Words, polygon
from ..elements.measure import NAME, NOTE, SHAPE, Run, runs_width
from ..elements.place import Point
from ..elements.theme import Theme


def worded(label: Label, theme: Theme) -> Group:
    """The words at a line."""
    if label.kind != "data" and label.is_down:
        colour = {"ema": theme.ema.line, "write": theme.memory.line, "same": theme.trained.line}[label.kind]
        heights = (label.y - 5, label.y + 14) if len(label.lines) > 1 else (label.y + 4,)
        words = [
            Words(label.x, y, (Run(text),), NOTE, colour, halo=theme.ground)
            for text, y in zip(label.lines, heights, strict=True)
        ]
        return Group(tuple(words), "label")
    if label.kind != "data":
        colour = {"ema": theme.ema.line, "write": theme.memory.line, "same": theme.trained.line}[label.kind]
        height = label.y + 4 if label.owner else label.y - 5
        return Group((Words(label.x, height, label.above, NOTE, colour, halo=theme.ground),), "label")
    if label.is_row:
        left = label.x - label.width / 2
        name = Words(left, label.y - 4, label.above, NAME, theme.ink, "start", halo=theme.ground)
        shape = Words(
            left + (runs_width(label.above, NAME) + 6 if label.above else 0.0),
            label.y - 4,
            (Run(label.below),),
            SHAPE,
            theme.muted,
            "start",
            halo=theme.ground,
        )
        return Group(tuple(words for words in (name, shape) if any(run.text for run in words.runs)), "label")
    parts = []
    if label.above:
        parts.append(Words(label.x, label.y - 5, label.above, NAME, theme.ink))
    if label.below:
        parts.append(Words(label.x, label.low + 12, (Run(label.below),), SHAPE, theme.muted))
    return Group(tuple(parts), "label")


def arrow(points: list[Point], colour: str, *, is_open: bool = False, size: float = 7.0) -> Path:
    """The head of an arrow at a line's end."""
    (x0, y0), (x1, y1) = points[-2], points[-1]
    long = math.hypot(x1 - x0, y1 - y0) or 1.0
    c, s = (x1 - x0) / long, (y1 - y0) / long
    sides = [
        (x1 - size * c + size * 0.48 * s, y1 - size * s - size * 0.48 * c),
        (x1, y1),
        (x1 - size * c - size * 0.48 * s, y1 - size * s + size * 0.48 * c),
    ]
    if is_open:
        return Path((("M", sides[0]), ("L", sides[1]), ("L", sides[2])), stroke=colour, width=1.8)
    return polygon(*sides, fill=colour)


def shorter(points: list[Point], by: float) -> list[Point]:
    """A line whose last piece ends earlier."""
    (x0, y0), (x1, y1) = points[-2], points[-1]
    long = math.hypot(x1 - x0, y1 - y0) or 1.0
    return [*points[:-1], (x1 - (x1 - x0) / long * by, y1 - (y1 - y0) / long * by)]
