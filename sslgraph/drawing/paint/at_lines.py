"""Lines and what stands at them: the strokes of relations, heads of arrows, words, stop-gradients."""

from __future__ import annotations

import math

from ..arrange.labels import Label
from ..arrange.layout import Layout
from ..elements.forms import Command, Group, Path, Words, polygon, rectangle
from ..elements.measure import NAME, NOTE, SHAPE, Run, runs_width
from ..elements.place import Point
from ..elements.theme import Theme

STOP = (Run("stop-grad", is_bold=True),)
STOP_ROOM = 66.0  # of the word beside a mark, with the mark


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


def stop(placed: Layout, point: Point, number: int, theme: Theme) -> Group:
    """The stop-gradient on a line, at a place; its word is left out where there is no room and the legend has it."""
    x, y = point
    edges = placed.panel.edges
    edge = edges[number]
    if placed.is_down:
        near = [spot for spot in placed.stops.values() if spot != point and 0 <= spot[0] - x < STOP_ROOM]
        is_said = not any(abs(spot[1] - y) < 12 for spot in near) and x + STOP_ROOM <= placed.bounds[2] + 2
        wide, high = 4, 6
        bars = (("M", (x - 7, y + 6)), ("L", (x + 7, y + 1)), ("M", (x - 7, y - 1)), ("L", (x + 7, y - 6)))
        words = Words(x + 11, y + 4, STOP, NOTE, theme.ink, "start", halo=theme.ground)
    else:
        mates = [line for n, line in placed.lines.items() if edges[n].source == edge.source]
        heights = [first[1] for first, second, *_ in mates if first[1] == second[1]]  # of lines that leave it as this
        above = any(height < y - 1 for height in heights)
        is_said = not (placed.is_narrow or (above and any(height > y + 1 for height in heights)))
        wide, high = 7, 4
        bars = (("M", (x - 6, y + 7)), ("L", (x - 1, y - 7)), ("M", (x + 1, y + 7)), ("L", (x + 6, y - 7)))
        words = Words(x, y + 20 if above else y - 11, STOP, NOTE, theme.ink, halo=theme.ground)
    gap = rectangle(x - wide, y - high, x + wide, y + high, 0.0, fill=theme.ground)
    mark = (gap, Path(bars, stroke=theme.ink, width=2.2, is_round=True))
    parts = (*mark, words) if is_said else mark
    return Group(parts, "stop", f"{edge.source}>{edge.target}", "stop-gradient")
