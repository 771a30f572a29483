"""Lines that are no flow: a net and its slow copy, the boxes of one net, a write to a state."""

from __future__ import annotations

from ..elements.picture import Edge
from ..elements.place import Place, Point
from .draft import Draft, around

SIDE = 9.0  # from a column's widest box to a line that passes it
APART = 24.0  # between two lines at one side of a box
STEP = 9.0  # between two lines that go round, in the gap between rows
HEAD = 14.0  # from such a line to the box that it enters


def margins(draft: Draft, row: int, *, is_below: bool) -> float:
    """The room that the lines which go round need at one side of a row."""
    levels = [side for sides in _sides(draft).values() for side in sides if side == (row, is_below)]
    return HEAD + STEP * len(levels) if levels else 0.0


def _sides(draft: Draft) -> dict[int, list[tuple[int, bool]]]:
    """For each relation that goes round, at which sides of which rows (row, whether below) it runs level."""
    row, found = draft.grid.row, {}
    for number in around(draft):
        start, end = (row[name] for name in (draft.panel.edges[number].source, draft.panel.edges[number].target))
        is_down = end >= start
        found[number] = [(start, is_down)] if abs(end - start) <= 1 else [(start, is_down), (end, not is_down)]
    return found


def relation_points(draft: Draft, places: dict[str, Place]) -> dict[int, list[Point]]:
    """The points of every relation; straight ones down the column, others round it."""
    taken: dict[tuple[str, bool], set[float]] = {}
    levels: dict[tuple[int, bool], int] = {}
    beside: dict[int, int] = {}  # lines that pass a column so far
    lines: dict[int, list[Point]] = {}
    round_: dict[int, list[tuple[int, bool]]] = _sides(draft)
    order = sorted(range(len(draft.panel.edges)), key=lambda n: (n in round_, n))
    for number in order:
        edge = draft.panel.edges[number]
        if edge.kind == "data" or number in draft.flow:
            continue
        source, target = places[edge.source], places[edge.target]
        if number not in round_:
            is_down = target.y > source.y
            dx = _free(taken, (edge.source, is_down), (edge.target, not is_down))
            start, end = (
                _end(draft, edge.source, source, is_down, dx),
                _end(draft, edge.target, target, not is_down, dx),
            )
            lines[number] = [(source.x + dx, start), (target.x + dx, end)]
            continue
        heights = []
        for side in round_[number]:
            levels[side] = levels.get(side, 0) + 1
            heights.append(_level(draft, side, levels[side]))
        lines[number] = _around(draft, places, edge, taken, heights, beside)
    return lines


def _level(draft: Draft, side: tuple[int, bool], place: int) -> float:
    row, is_below = side
    y = draft.y[draft.grid.rows[row][0]]
    above, below = draft.room(row)
    return y + below + HEAD - 6 + STEP * (place - 1) if is_below else y - above - HEAD + 2 - STEP * (place - 1)


def _around(
    draft: Draft, places: dict[str, Place], edge: Edge, taken: dict[tuple[str, bool], set[float]],
    heights: list[float], beside: dict[int, int],
) -> list[Point]:  # fmt: skip
    """Out of the source into the gap between rows, along it to the side of the target's column, and into the target."""
    source, target, row = places[edge.source], places[edge.target], draft.grid.row
    is_down = row[edge.target] >= row[edge.source]
    is_entered_below = row[edge.target] <= row[edge.source]
    dx = _free(taken, (edge.source, is_down))
    tx = _free(taken, (edge.target, is_entered_below))
    points = [(source.x + dx, _end(draft, edge.source, source, is_down, dx)), (source.x + dx, heights[0])]
    if len(heights) == 2:
        column = draft.grid.column
        here = column[edge.target]
        side = max(places[n].x + places[n].extent.side for n in places if column[n] == here) + SIDE
        side += STEP * beside.get(here, 0)  # each beside the others
        beside[here] = beside.get(here, 0) + 1
        points += [(side, heights[0]), (side, heights[1])]
    end = _end(draft, edge.target, target, is_entered_below, tx)
    return [*points, (target.x + tx, heights[-1]), (target.x + tx, end)]


def _free(taken: dict[tuple[str, bool], set[float]], *sides: tuple[str, bool]) -> float:
    """The place nearest to the middle that is free at all these sides (box, whether its lower side)."""
    places = (0.0, APART, -APART, 2 * APART, -2 * APART)
    dx = next((dx for dx in places if all(dx not in taken.get(side, set()) for side in sides)), 0.0)
    for side in sides:
        taken.setdefault(side, set()).add(dx)
    return dx


def _end(draft: Draft, name: str, place: Place, is_lower: bool, dx: float) -> float:
    """Where a vertical line meets a box: on the slant of an encoder or a decoder, else on its straight side."""
    kind = draft.box[name].kind
    half = place.extent.height / 2
    if kind in ("encoder", "decoder"):
        half -= place.extent.slant * (0.5 + dx / place.extent.width * (1 if kind == "encoder" else -1))
    return place.y + (half if is_lower else -half)
