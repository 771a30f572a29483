"""Stop-gradients: two bars across a line, and the word."""

from __future__ import annotations

from ..arrange.layout import Layout
from ..elements.forms import Group, Path, Words, rectangle
from ..elements.measure import NOTE, Run
from ..elements.place import Point
from ..elements.theme import Theme

WORDS = (Run("stop-grad", is_bold=True),)
WORD = 66.0  # of the word beside a mark, with the mark


def stop(placed: Layout, point: Point, number: int, theme: Theme) -> Group:
    """The stop-gradient on a line, at a place; its word is left out where there is no room and the legend has it."""
    x, y = point
    edges = placed.panel.edges
    edge = edges[number]
    if placed.is_down:
        near = [spot for spot in placed.stops.values() if spot != point and 0 <= spot[0] - x < WORD]
        is_said = not any(abs(spot[1] - y) < 12 for spot in near) and x + WORD <= placed.bounds[2] + 2
        wide, high = 4, 6
        bars = (("M", (x - 7, y + 6)), ("L", (x + 7, y + 1)), ("M", (x - 7, y - 1)), ("L", (x + 7, y - 6)))
        words = Words(x + 11, y + 4, WORDS, NOTE, theme.ink, "start", halo=theme.ground)
    else:
        mates = [line for n, line in placed.lines.items() if edges[n].source == edge.source]
        heights = [first[1] for first, second, *_ in mates if first[1] == second[1]]  # of lines that leave it as this
        above = any(height < y - 1 for height in heights)
        is_said = not (placed.is_narrow or (above and any(height > y + 1 for height in heights)))
        wide, high = 7, 4
        bars = (("M", (x - 6, y + 7)), ("L", (x - 1, y - 7)), ("M", (x + 1, y + 7)), ("L", (x + 6, y - 7)))
        words = Words(x, y + 20 if above else y - 11, WORDS, NOTE, theme.ink, halo=theme.ground)
    gap = rectangle(x - wide, y - high, x + wide, y + high, 0.0, fill=theme.ground)
    mark = (gap, Path(bars, stroke=theme.ink, width=2.2, is_round=True))
    parts = (*mark, words) if is_said else mark
    return Group(parts, "stop", f"{edge.source}>{edge.target}", "stop-gradient")
