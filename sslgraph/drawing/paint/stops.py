"""Stop-gradients: two bars across a line, and the word."""

from __future__ import annotations

from ..arrange.layout import Layout
from ..elements.forms import Group, Path, Words, rectangle
from ..elements.measure import NOTE, Run
from ..elements.place import Point
from ..elements.theme import Theme

WORD = 66.0  # of the word beside a mark, with the mark


def stop(placed: Layout, point: Point, number: int, theme: Theme) -> Group:
    """The stop-gradient on a line, at a place."""
    x, y = point
    edge, edges = placed.panel.edges[number], enumerate(placed.panel.edges)
    name = f"{edge.source}>{edge.target}"
    if placed.is_down:
        near = [spot for spot in placed.stops.values() if spot != point and 0 <= spot[0] - x < WORD]
        is_last = not any(abs(spot[1] - y) < 12 for spot in near) and x + WORD <= placed.bounds[2] + 2
        return _down(point, name, theme, is_said=is_last)
    mates = [placed.lines[n] for n, other in edges if n in placed.lines and other.source == edge.source]
    heights = [first[1] for first, second, *_ in mates if first[1] == second[1]]  # of lines that leave it as this one
    above = any(height < y - 1 for height in heights)
    is_between = above and any(height > y + 1 for height in heights)  # no room for words: the legend has them
    gap = rectangle(x - 7, y - 4, x + 7, y + 4, 0.0, fill=theme.ground)
    strokes = (("M", (x - 6, y + 7)), ("L", (x - 1, y - 7)), ("M", (x + 1, y + 7)), ("L", (x + 6, y - 7)))
    bars = Path(strokes, stroke=theme.ink, width=2.2, is_round=True)
    run = Run("stop-grad", is_bold=True)
    words = Words(x, y + 20 if above else y - 11, (run,), NOTE, theme.ink, halo=theme.ground)
    return Group((gap, bars) if is_between or placed.is_narrow else (gap, bars, words), "stop", name, "stop-gradient")


def _down(point: Point, name: str, theme: Theme, *, is_said: bool) -> Group:
    """A stop-gradient on an upright line, its word right of it."""
    x, y = point
    gap = rectangle(x - 4, y - 6, x + 4, y + 6, 0.0, fill=theme.ground)
    strokes = (("M", (x - 7, y + 6)), ("L", (x + 7, y + 1)), ("M", (x - 7, y - 1)), ("L", (x + 7, y - 6)))
    bars = Path(strokes, stroke=theme.ink, width=2.2, is_round=True)
    run = Run("stop-grad", is_bold=True)
    words = Words(x + 11, y + 4, (run,), NOTE, theme.ink, "start", halo=theme.ground)
    return Group((gap, bars, words) if is_said else (gap, bars), "stop", name, "stop-gradient")
