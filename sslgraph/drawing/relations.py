"""Lines that are no flow: a net and its slow copy, the boxes of one net, a write to a state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .picture import Edge, Panel
from .rows import Grid

if TYPE_CHECKING:
    from .layout import Place, Point

SIDE = 9.0  # from a column's widest box to a line that passes it
APART = 24.0  # between two lines at one side of a box


def is_straight(edge: Edge, grid: Grid) -> bool:
    """Whether a relation is one vertical line: one column, and no box between."""
    row = grid.row
    if edge.source not in row or edge.target not in row or grid.column[edge.source] != grid.column[edge.target]:
        return False
    low, high = sorted((row[edge.source], row[edge.target]))
    return low != high and not any(
        low < r < high and grid.column[name] == grid.column[edge.source]
        for r, names in enumerate(grid.rows)
        for name in names
    )


def uses_side(edge: Edge, grid: Grid, flow: set[int], number: int) -> bool:
    """Whether a relation passes beside its target's column."""
    return edge.kind != "data" and number not in flow and not is_straight(edge, grid)


def relation_points(
    panel: Panel, grid: Grid, places: dict[str, Place], flow: set[int], rooms: list[tuple[float, float]]
) -> dict[int, list[Point]]:
    """The points of every relation; straight ones down the column, others round it."""
    taken: dict[tuple[str, bool], set[float]] = {}
    lines: dict[int, list[Point]] = {}
    order = sorted(enumerate(panel.edges), key=lambda e: (not is_straight(e[1], grid), e[0]))
    for number, edge in order:
        if edge.kind == "data" or number in flow:
            continue
        source, target = places[edge.source], places[edge.target]
        is_down = target.y > source.y or (target.y == source.y)
        if is_straight(edge, grid):
            dx = _free(taken, (edge.source, is_down), (edge.target, not is_down))
            lines[number] = [
                (source.x + dx, _end(panel, edge.source, source, is_down, dx)),
                (target.x + dx, _end(panel, edge.target, target, not is_down, dx)),
            ]
        else:
            lines[number] = _around(panel, grid, places, edge, taken, rooms)
    return lines


def _around(
    panel: Panel,
    grid: Grid,
    places: dict[str, Place],
    edge: Edge,
    taken: dict[tuple[str, bool], set[float]],
    rooms: list[tuple[float, float]],
) -> list[Point]:
    """Out of the source into the gap between rows, along it to the side of the target's column, and into the target."""
    source, target = places[edge.source], places[edge.target]
    row = grid.row
    start, end = row[edge.source], row[edge.target]
    is_down = end > start or (end == start)
    from_below = end == start or end < start
    dx = _free(taken, (edge.source, is_down))
    first = places[grid.rows[start][0]].y + (rooms[start][1] + 6 if is_down else -rooms[start][0] - 6)
    x0 = source.x + dx
    points = [(x0, _end(panel, edge.source, source, is_down, dx)), (x0, first)]
    tx = _free(taken, (edge.target, from_below))
    last = places[grid.rows[end][0]].y + (rooms[end][1] + 6 if from_below else -rooms[end][0] - 6)
    if abs(start - end) == 1 or start == end:
        last = first
    else:
        side = (
            max(places[n].x + places[n].extent.side for n in places if grid.column[n] == grid.column[edge.target])
            + SIDE
        )
        points += [(side, first), (side, last)]
    points += [(target.x + tx, last), (target.x + tx, _end(panel, edge.target, target, from_below, tx))]
    return points


def _free(taken: dict[tuple[str, bool], set[float]], *sides: tuple[str, bool]) -> float:
    """The place nearest to the middle that is free at all these sides (box, whether its lower side)."""
    for dx in (0.0, APART, -APART, 2 * APART, -2 * APART):
        if all(dx not in taken.setdefault(side, set()) for side in sides):
            break
    for side in sides:
        taken[side].add(dx)
    return dx


def _end(panel: Panel, name: str, place: Place, is_lower: bool, dx: float) -> float:
    """Where a vertical line meets a box: on the slant of an encoder or a decoder, else on its straight side."""
    from .measure import SLANT

    kind = next(box.kind for box in panel.boxes if box.id == name)
    half, caption = place.extent.height / 2, 0.0
    if kind in ("encoder", "decoder"):
        share = 0.5 + dx / place.extent.width * (1 if kind == "encoder" else -1)
        half -= place.extent.height * SLANT * share
    return place.y + (half + caption if is_lower else -half)
