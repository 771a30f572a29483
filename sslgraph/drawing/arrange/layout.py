"""Places: where on paper each box of a panel stands and along which points each line runs.

Columns and rows make a grid; lines turn only in the gaps between columns and run long ways only along empty rows or in
the gaps between rows. So no box overlaps another and no line runs through a box, whatever the method.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise

from ..elements.picture import Edge, Panel
from ..elements.place import Place, Point
from ..elements.wrapping import told_in_boxes, wrapped
from .draft import FRAME, FRAME_TITLE, Draft, around, draft
from .grid.routes import Plan
from .grid.rows import Grid
from .heights import set_heights
from .labels import Ground, Label, Room, meet, relation_labels, rooms_of, uncovered
from .relations import relation_points
from .turned import labels_down, turned_ground, turned_place
from .widths import Columns, set_widths, stop_gap

WRAP, TIGHT = 230.0, 100.0  # no words of a box are wider; on a narrow sheet


@dataclass
class Layout:
    """A panel on paper; the origin is anywhere, `bounds` (left, top, right, bottom) says where everything lies."""

    panel: Panel
    grid: Grid
    places: dict[str, Place]
    lines: dict[int, list[Point]]  # number of the line in the panel -> its points
    labels: list[Label] = field(default_factory=list)
    stops: dict[int, Point] = field(default_factory=dict)
    grounds: list[Ground] = field(default_factory=list)
    bounds: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    is_down: bool = False
    is_narrow: bool = False  # words that the legend has, too, are left out

    @property
    def size(self) -> tuple[float, float]:
        """How wide and how high everything is together."""
        left, top, right, bottom = self.bounds
        return right - left, bottom - top


def layout(
    panel: Panel, *, shapes: bool = True, is_down: bool = False, wrap: float = WRAP, labels: bool = True
) -> Layout:
    """Lays a panel out, from left to right or down the page.

    `shapes`: whether the shapes of tensors are written. `wrap`: how wide the words of a box may be before they go on
    in the next line. `labels`: whether words are placed at lines, which takes longer than all the rest.
    """
    panel = told_in_boxes(panel) if is_down and wrap < TIGHT else panel
    panel = replace(panel, boxes=tuple(wrapped(box, wrap, is_down=is_down) for box in panel.boxes))
    plan = draft(panel, shapes=shapes, is_down=is_down, is_tight=wrap < TIGHT)
    set_heights(plan)
    columns = set_widths(plan)
    places = {name: Place(columns.x[plan.column(name)], plan.y[name], plan.extents[name]) for name in plan.box}
    out = Layout(plan.panel, plan.grid, places, {}, is_narrow=plan.is_tight_sheet)
    out.lines = {p.edge: _points(plan, p, places, columns) for p in plan.plans}
    out.stops = {p.edge: _stop(plan, p, out, columns) for p in plan.plans if plan.edge(p).stop}
    out.grounds = [_ground(plan, rows, places) for rows in plan.grounds]
    out.lines |= relation_points(plan, places)
    if is_down:
        _turn(out)
    if labels and is_down:
        out.labels = labels_down(plan, out.places, out.lines, out.stops, out.grounds)
    elif labels:
        out.labels = _labels(plan, out)
    out.bounds = _bounds(out)
    return out


def _turn(out: Layout) -> None:
    """Turns a layout over, so that data flows down."""
    out.is_down = True
    out.places = {name: turned_place(place) for name, place in out.places.items()}
    out.lines = {number: [(y, x) for x, y in points] for number, points in out.lines.items()}
    out.stops = {number: (y, x) for number, (x, y) in out.stops.items()}
    out.grounds = [turned_ground(ground, out.places) for ground in out.grounds]


def _points(plan: Draft, line: Plan, places: dict[str, Place], columns: Columns) -> list[Point]:
    points = [(places[line.source].right, plan.port_out[line.edge])]
    for number in (0, 1):
        if (turn := columns.turns.get((line.edge, number))) is not None:
            x = columns.turn_x[line.edge, number]
            points += [(x, turn.start), (x, turn.end)]
    return [*points, (places[line.target].left, plan.port_in[line.edge])]


def _stop(plan: Draft, line: Plan, out: Layout, columns: Columns) -> Point:
    """Where a stop-gradient stands: before the line turns, left of every other line that turns there."""
    gap = stop_gap(plan, line)
    turns = [x for key, x in columns.turn_x.items() if columns.turns[key].gap == gap]
    end = min([*turns, columns.gap_right[gap] - 12])
    return end - (11 if plan.is_down else 13 if plan.is_tight_sheet else 33), out.lines[line.edge][0][1]


def _ground(plan: Draft, rows: list[int], places: dict[str, Place]) -> Ground:
    names, is_low = plan.on_ground(rows), plan.is_low(rows)
    spots = [places[name] for name in names]
    top = min(spot.y - spot.extent.above for spot in spots) - (FRAME if is_low else FRAME_TITLE)
    bottom = max(spot.y + spot.extent.below for spot in spots) + (FRAME_TITLE if is_low else FRAME)
    left, right = min(s.left for s in spots) - plan.frame, max(s.right for s in spots) + plan.frame
    return Ground(plan.framed[names[0]].title, tuple(names), left, top, right, bottom, is_low)


def _labels(plan: Draft, out: Layout) -> list[Label]:
    """The words at all lines."""
    found = uncovered([_on_line(plan, out, line, label) for line, label in plan.labels()])
    for number, label in relation_labels(plan.panel, plan.flow).items():
        placed = _on_relation(out, number, replace(label, edge=number), found)
        found += [placed] if placed else []  # that two boxes are one net, the legend says too
    return found


def _on_line(plan: Draft, out: Layout, line: Plan, label: Label) -> Label:
    """The label over the first piece of its line, near the box that it leaves."""
    twins = [twin for twin in plan.outs[line.source] if _words(plan.edge(twin)) == _words(plan.edge(line))]
    column = plan.column(line.source)
    start = out.places[line.source].right + (plan.frame if plan.ends_frame(line.source) else 0.0) + 4
    start = max([start, *(x + 8 for x in _beside(plan, out, column, plan.port_out[line.edge]))])
    ends = []
    for twin in twins:
        points = out.lines[twin.edge]
        is_stopped = stop_gap(plan, twin) == column
        mark = 12 if plan.is_tight_sheet else 32
        ends.append(out.stops[twin.edge][0] - mark if is_stopped else points[1][0] - (8 if len(points) == 2 else 2))
    least = start + label.width / 2
    middle = least if label.is_row else max(least, min((start + min(ends)) / 2, start + max(56.0, label.width)))
    y, low, half = plan.port_out[line.edge], max(plan.port_out[p.edge] for p in twins), label.width / 2 + 3
    crossing = _crossing(out, y - 14, low + 14, {twin.edge for twin in twins})
    places = [middle, *(least + 3 * i for i in range(int((min(ends) - label.width / 2 - least) / 3) + 1))]
    free = [x for x in places if all(abs(x - other) > half for other in crossing)]
    return label.at(min(free, key=lambda x: abs(x - middle), default=middle), y, low)


def _words(edge: Edge) -> tuple[str, ...]:
    return edge.name, edge.port, edge.shape, edge.label


def _crossing(out: Layout, top: float, bottom: float, own: set[int]) -> list[float]:
    """Where vertical pieces of other lines, and the sides of frames, cross a strip."""
    pieces = [ends for number, points in out.lines.items() if number not in own for ends in pairwise(points)]
    pieces += [((x, g.top), (x, g.bottom)) for g in out.grounds for x in (g.left, g.right)]
    return [x for (x, y0), (other, y1) in pieces if x == other and min(y0, y1) < bottom and top < max(y0, y1)]


def _beside(plan: Draft, out: Layout, column: int, y: float) -> list[float]:
    """Where relations pass right of a column, at a height."""
    passing = [n for n in around(plan) if plan.column(plan.panel.edges[n].target) == column]
    pieces = [out.lines[n][2:4] for n in passing if len(out.lines[n]) == 6]
    return [x for (x, y0), (_, y1) in pieces if min(y0, y1) - 8 <= y <= max(y0, y1) + 8]


def _on_relation(out: Layout, number: int, label: Label, others: list[Label]) -> Label | None:
    """The words beside the longest vertical piece, as near to its middle as nothing is in their way."""
    (x, y0), (_, y1) = max(pairwise(out.lines[number]), key=lambda ends: abs(ends[0][1] - ends[1][1]))
    middle, reach = (y0 + y1) / 2, abs(y1 - y0) / 2
    heights = [middle, *(middle + side * 3.0 * i for i in range(1, int(reach / 3)) for side in (1, -1))]
    taken = [*_rooms(out, number), *(other.room for other in others)]
    for far in (8, 0):  # away from the words of another line, if there is room
        for side in (1, -1):
            for y in heights:
                placed = label.at(x + side * (9 + label.width / 2), y, y)
                left, top, right, bottom = placed.room
                if not any(meet((left, top - far, right, bottom + far), room) for room in taken):
                    return placed
    return None if label.kind == "same" else label.at(x + 9 + label.width / 2, middle, middle)


def _rooms(out: Layout, number: int) -> list[Room]:
    """What words must not lie on: boxes, the outlines of frames, and every line but their own."""
    rooms = [place.room for place in out.places.values()] + [room for ground in out.grounds for room in ground.sides]
    return rooms + [room for other, points in out.lines.items() if other != number for room in rooms_of(points)]


def _bounds(out: Layout) -> tuple[float, float, float, float]:
    before, behind = (1, 3) if out.is_down or out.is_narrow else (4, 8)
    corners = [point for points in out.lines.values() for point in points]
    for left, top, right, bottom in (place.room for place in out.places.values()):
        corners += [(left - before, top - 8), (right + behind, bottom + 6)]
    for left, top, right, bottom in (label.room for label in out.labels):
        corners += [(left, top), (right, bottom)]
    for ground in out.grounds:
        corners += [(ground.left, ground.top), (ground.right, ground.bottom)]
    xs, ys = zip(*corners or [(0.0, 0.0)], strict=True)
    return min(xs), min(ys), max(xs), max(ys)
