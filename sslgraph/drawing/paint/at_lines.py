"""Lines and what stands at them: the strokes of relations, the heads of arrows, and words."""

from __future__ import annotations

import math

from ..arrange.labels import Label
from ..elements.forms import Command, Group, Path, Words, polygon
from ..elements.measure import NAME, NOTE, SHAPE, Run, runs_width
from ..elements.place import Point
from ..elements.theme import Theme


def ema_line(commands: tuple[Command, ...], theme: Theme) -> Path:
    """The stroke between a net and its slow copy."""
    return Path(commands, stroke=theme.ema.line, width=2.0, dash=(0.5, 4.5), is_round=True)


def write_line(commands: tuple[Command, ...], theme: Theme) -> Path:
    """The stroke of a write to a state."""
    return Path(commands, stroke=theme.memory.line, width=1.6, dash=(7.0, 3.0, 1.5, 3.0))


def worded(label: Label, theme: Theme) -> Group:
    """The words at a line."""
    if label.kind != "data":
        colour = {"ema": theme.ema.line, "write": theme.memory.line, "same": theme.trained.line}[label.kind]
        lines = [(Run(text),) for text in label.lines] if label.is_down else [label.above]
        heights = (-5, 14) if len(lines) > 1 else (4,) if label.owner else (-5,)
        rows = zip(lines, heights, strict=True)
        words = [Words(label.x, label.y + dy, runs, NOTE, colour, halo=theme.ground) for runs, dy in rows]
    elif label.is_row:
        left, right = label.x - label.width / 2, runs_width(label.above, NAME) + 6 if label.above else 0.0
        words = [
            Words(left, label.y - 4, label.above, NAME, theme.ink, "start", halo=theme.ground),
            Words(left + right, label.y - 4, (Run(label.below),), SHAPE, theme.muted, "start", halo=theme.ground),
        ]
    else:
        words = [
            Words(label.x, label.y - 5, label.above, NAME, theme.ink),
            Words(label.x, label.low + 12, (Run(label.below),), SHAPE, theme.muted),
        ]
    return Group(tuple(one for one in words if any(run.text for run in one.runs)), "label")


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
