"""Places: where on paper each box of a panel stands and along which points each line runs.

Columns and rows make a grid; lines turn only in the gaps between columns and run long ways only along empty rows or in
the gaps between rows. So no box overlaps another and no line runs through a box, whatever the method.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from .draft import FRAME, FRAME_TITLE, Draft, around, draft
from .heights import set_heights
from .labels import Label, line_label, relation_labels
from .picture import Edge, Panel
from .place import Place, Point
from .relations import relation_points
from .routes import Plan
from .rows import Grid
from .widths import Columns, set_widths, stop_gap


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


def layout(panel: Panel, *, shapes: bool = True) -> Layout:
    """Lays a panel out; `shapes`: whether the shapes of tensors are written."""
    plan = draft(panel, shapes=shapes)
    set_heights(plan)
    columns = set_widths(plan)
    places = {name: Place(columns.x[plan.column(name)], plan.y[name], plan.extents[name]) for name in plan.box}
    out = Layout(panel, plan.grid, places, {})
    out.lines = {p.edge: _points(plan, p, places, columns) for p in plan.plans}
    out.stops = {p.edge: _stop(plan, p, out, columns) for p in plan.plans if plan.edge(p).stop}
    out.grounds = [_ground(plan, rows, places) for rows in plan.grounds]
    out.lines |= relation_points(plan, places)
    out.labels = _labels(plan, out)
    out.bounds = _bounds(out)
    return out


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
    return end - 33, out.lines[line.edge][0][1]


def _ground(plan: Draft, rows: list[int], places: dict[str, Place]) -> Ground:
    names, is_low = plan.on_ground(rows), plan.is_low(rows)
    spots = [places[name] for name in names]
    top = min(spot.y - spot.extent.above for spot in spots) - (FRAME if is_low else FRAME_TITLE)
    bottom = max(spot.y + spot.extent.below for spot in spots) + (FRAME_TITLE if is_low else FRAME)
    left, right = min(s.left for s in spots) - FRAME, max(s.right for s in spots) + FRAME
    return Ground(plan.framed[names[0]].title, tuple(names), left, top, right, bottom, is_low)


def _labels(plan: Draft, out: Layout) -> list[Label]:
    """The words at all lines; lines that leave a box with the same words say them once."""
    said: set[tuple[str, str, str, str]] = set()
    found = []
    for line in sorted(plan.plans, key=lambda p: (plan.port_out[p.edge], p.edge)):
        edge = plan.edge(line)
        label = line_label(edge, plan.shapes, plan.is_tight(line.source))
        if label.width and (key := (edge.source, edge.name, edge.port, edge.shape)) not in said:
            said.add(key)
            found.append(_on_line(plan, out, line, edge, label))
    for number, label in relation_labels(plan.panel, plan.flow).items():
        found.append(_on_relation(out, out.lines[number], label, found))
    return found


def _on_line(plan: Draft, out: Layout, line: Plan, edge: Edge, label: Label) -> Label:
    """The label over the first piece of its line, near the box that it leaves."""
    alike = (edge.name, edge.port, edge.shape)
    twins = [p for p in plan.outs[line.source] if (plan.edge(p).name, plan.edge(p).port, plan.edge(p).shape) == alike]
    column = plan.column(line.source)
    start = out.places[line.source].right + (FRAME if plan.ends_frame(line.source) else 0.0) + 4
    start = max(start, *(x + 8 for x in _beside(plan, out, column))) if _beside(plan, out, column) else start
    ends = []
    for twin in twins:
        points = out.lines[twin.edge]
        is_stopped = stop_gap(plan, twin) == column
        ends.append(out.stops[twin.edge][0] - 32 if is_stopped else points[1][0] - (8 if len(points) == 2 else 2))
    least = start + label.width / 2
    middle = least if label.is_row else max(least, min((start + min(ends)) / 2, start + max(56.0, label.width)))
    return label.at(middle, plan.port_out[line.edge], max(plan.port_out[p.edge] for p in twins))


def _beside(plan: Draft, out: Layout, column: int) -> list[float]:
    """Where relations pass right of a column."""
    edges = plan.panel.edges
    return [
        out.lines[n][2][0] for n in around(plan) if len(out.lines[n]) == 6 and plan.column(edges[n].target) == column
    ]


def _on_relation(out: Layout, points: list[Point], label: Label, others: list[Label]) -> Label:
    """The words right of the longest vertical piece, as near to its middle as nothing is in their way."""
    (x, y0), (_, y1) = max(pairwise(points), key=lambda ends: abs(ends[0][1] - ends[1][1]))
    left, right, middle = x + 5, x + 13 + label.width, (y0 + y1) / 2
    taken = [
        (a[1] - 3, a[1] + 3)
        for line in out.lines.values()
        for a, b in pairwise(line)
        if a[1] == b[1] and min(a[0], b[0]) < right and max(a[0], b[0]) > left
    ]
    taken += [
        (other.y - 16, other.low + 13)
        for other in others
        if abs(other.x - (left + right) / 2) < (other.width + right - left) / 2
    ]
    taken += [
        (p.y - p.extent.above, p.y + p.extent.below)
        for p in out.places.values()
        if p.x - p.extent.side < right and p.x + p.extent.side > left
    ]
    low, high = sorted((y0, y1))
    tried = [middle, *(middle + side * 3.0 * i for i in range(1, int((high - low) / 6)) for side in (1, -1))]
    y = next((y for y in tried if all(y + 7 < top or y - 9 > bottom for top, bottom in taken)), middle)
    return label.at(x + 9 + label.width / 2, y, y)


def _bounds(out: Layout) -> tuple[float, float, float, float]:
    xs, ys = [], []
    for place in out.places.values():
        xs += [place.x - place.extent.side - 4, place.x + place.extent.side + 8]
        ys += [place.y - place.extent.above - 8, place.y + place.extent.below + 6]
    for points in out.lines.values():
        xs += [x for x, _ in points]
        ys += [y for _, y in points]
    for ground in out.grounds:
        xs += [ground.left, ground.right]
        ys += [ground.top, ground.bottom]
    for label in out.labels:
        xs += [label.x - label.width / 2, label.x + label.width / 2]
        ys += [label.y - 16, label.low + 14]
    return min(xs, default=0.0), min(ys, default=0.0), max(xs, default=0.0), max(ys, default=0.0)
