"""Places: where on paper each box of a panel stands and along which points each line runs.

Columns and rows make a grid; lines turn only in the gaps between columns and run long ways only along empty rows or in
the gaps between rows. So no box overlaps another and no line runs through a box, whatever the method.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from .channels import Turn, order_turns
from .columns import columns
from .labels import Label, line_label, relation_labels, stop_room
from .measure import SLANT, Extent, extent
from .picture import Box, Edge, Frame, Panel
from .relations import relation_points, uses_side
from .routes import Plan, flowing, plans
from .rows import FREE, Grid, grid

PORT, CHANNEL, TRACK = 15.0, 11.0, 13.0  # between lines: at a box, side by side, above each other
ARROW, GAP, ROW_GAP, FRAME = 16.0, 26.0, 30.0, 14.0
FRAME_TITLE = 22.0

Point = tuple[float, float]


@dataclass
class Place:
    """Where a box stands: its centre, and its room around it."""

    x: float
    y: float
    extent: Extent

    @property
    def left(self) -> float:
        return self.x - self.extent.width / 2

    @property
    def right(self) -> float:
        return self.x + self.extent.width / 2

    @property
    def top(self) -> float:
        return self.y - self.extent.height / 2

    @property
    def bottom(self) -> float:
        return self.y + self.extent.height / 2


@dataclass
class Layout:
    """A panel on paper; the origin is anywhere, `bounds` says where everything lies."""

    panel: Panel
    grid: Grid
    places: dict[str, Place]
    lines: dict[int, list[Point]]  # number of the line in the panel -> its points
    labels: list[Label] = field(default_factory=list)
    stops: dict[int, Point] = field(default_factory=dict)
    frames: list[tuple[Frame, float, float, float, float, bool]] = field(
        default_factory=list
    )  # left, top, right, bottom, title below
    bounds: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)


def layout(panel: Panel, *, shapes: bool = True) -> Layout:
    """Lays a panel out; `shapes`: whether the shapes of tensors are written."""
    cells = grid(panel, columns(panel))
    return _Laying(panel, cells, shapes).run()


class _Laying:
    def __init__(self, panel: Panel, cells: Grid, shapes: bool) -> None:
        self.panel, self.grid, self.shapes = panel, cells, shapes
        self.box: dict[str, Box] = {box.id: box for box in panel.boxes}
        self.plans, self.tracks = plans(panel, cells)
        self.flow = {number for number, _ in flowing(panel, cells)}
        self.outs: dict[str, list[Plan]] = {name: [] for name in self.box}
        self.ins: dict[str, list[Plan]] = {name: [] for name in self.box}
        for plan in self.plans:
            self.outs[plan.source].append(plan)
            self.ins[plan.target].append(plan)
        self.extents = {
            name: extent(box, max(len(self.outs[name]), len(self.ins[name]))) for name, box in self.box.items()
        }
        self.framed = {name: frame for frame in panel.frames for name in frame.boxes}
        self.y: dict[str, float] = {}
        self.track_y: list[float] = []
        self.port_out: dict[int, float] = {}
        self.port_in: dict[int, float] = {}

    def run(self) -> Layout:
        self._rows()
        self._free()
        self._ports()
        turns = self._turns()
        slots = order_turns(turns, self.grid.columns)
        x, gap_right = self._columns(slots)
        places = {name: Place(x[self.grid.column[name]], self.y[name], self.extents[name]) for name in self.box}
        out = Layout(self.panel, self.grid, places, self._lines(places, slots, gap_right))
        self._stops(out, gap_right)
        self._frames(out)
        self._relations(out)
        self._labels(out)
        self._bounds(out)
        return out

    # ---- heights

    def _rows(self) -> None:
        """The centre line of each row, and the height of each gap's first track."""
        y = 0.0
        for number in range(len(self.grid.rows) + 1):
            tracks = TRACK * self.tracks[number]
            above, below = self._room(number - 1)[1], self._room(number)[0]
            if number == 0:
                self.track_y.append(-below - 12 - TRACK * max(0, self.tracks[0] - 1))
                continue
            between = (ROW_GAP if number < len(self.grid.rows) else 12.0) + tracks
            self.track_y.append(y + above + (between - TRACK * max(0, self.tracks[number] - 1)) / 2)
            if number < len(self.grid.rows):
                next_y = y + above + between + below
                self.y |= dict.fromkeys(self.grid.rows[number], next_y)
                y = next_y
        self.y |= dict.fromkeys(self.grid.rows[0] if self.grid.rows else (), 0.0)

    def _room(self, number: int) -> tuple[float, float]:
        """The room of a row above and below its centre line, its frame included."""
        if not 0 <= number < len(self.grid.rows):
            return 0.0, 0.0
        names = self.grid.rows[number]
        above, below = max(self.extents[n].above for n in names), max(self.extents[n].below for n in names)
        framed = [name for name in names if name in self.framed]
        if framed:
            low = self._is_low(self.framed[framed[0]])
            inner_above, inner_below = (
                max(self.extents[n].above for n in framed),
                max(self.extents[n].below for n in framed),
            )
            above = max(above, inner_above + (FRAME if low else FRAME_TITLE + 4))
            below = max(below, inner_below + (FRAME_TITLE + 4 if low else FRAME))
        return above, below

    def _is_low(self, frame: Frame) -> bool:
        """Whether a frame's name stands below: where dotted lines come in from above."""
        return any(edge.kind == "ema" and edge.target in frame.boxes for edge in self.panel.edges)

    def _free(self) -> None:
        """Images and losses: at the mean height of their neighbours, pushed apart."""
        for kind in FREE:
            free = [name for name, box in self.box.items() if box.kind == kind]
            wanted = {name: self._mean(name) for name in free}
            floor = float("-inf")
            order = sorted(free, key=lambda name: (wanted[name], free.index(name)))
            for name in order:
                self.y[name] = max(wanted[name], floor + self.extents[name].above)
                floor = self.y[name] + self.extents[name].below + 16
            shift = sum(self.y[name] - wanted[name] for name in order) / max(1, len(order))
            for name in order:
                self.y[name] -= shift

    def _mean(self, name: str) -> float:
        heights = []
        for plan in self.ins[name]:
            heights.append(self.track_y[plan.gap] if plan.way == "between" else self.y.get(plan.source, 0.0))
        heights += [self.y.get(plan.target, 0.0) for plan in self.outs[name]]
        return sum(heights) / len(heights) if heights else 0.0

    # ---- ports

    def _ports(self) -> None:
        for name in self.box:
            for plans_, port, far in (
                (self.outs[name], self.port_out, self._leaves_for),
                (self.ins[name], self.port_in, self._comes_from),
            ):
                ordered = sorted(plans_, key=lambda plan: (far(plan), plan.edge))
                straight = [i for i, plan in enumerate(ordered) if plan.way == "straight" and self._is_level(plan)]
                middle = float(straight[len(straight) // 2]) if straight else (len(ordered) - 1) / 2
                step = min(PORT, self.extents[name].height * (1 - SLANT) / max(1, len(ordered)))
                for i, plan in enumerate(ordered):
                    port[plan.edge] = self.y[name] + (i - middle) * step
        for plan in self.plans:  # a box whose only line on a side is level with its other end takes that height
            if self._is_level(plan):
                if len(self.outs[plan.source]) == 1:
                    self._meet(plan, self.port_out, self.port_in, plan.source)
                elif len(self.ins[plan.target]) == 1:
                    self._meet(plan, self.port_in, self.port_out, plan.target)

    def _meet(self, plan: Plan, mine: dict[int, float], other: dict[int, float], name: str) -> None:
        if abs(other[plan.edge] - self.y[name]) < self.extents[name].height * 0.3:
            mine[plan.edge] = other[plan.edge]

    def _is_level(self, plan: Plan) -> bool:
        return abs(self.y[plan.source] - self.y[plan.target]) < 0.5 and plan.way == "straight"

    def _leaves_for(self, plan: Plan) -> float:
        return self.track_y[plan.gap] if plan.way == "between" else self.y[plan.target]

    def _comes_from(self, plan: Plan) -> float:
        return self.track_y[plan.gap] if plan.way == "between" else self.y[plan.source]

    # ---- turns

    def _turns(self) -> list[Turn]:
        turns = []
        for plan in self.plans:
            up, down = self.port_out[plan.edge], self.port_in[plan.edge]
            first, last = self.grid.column[plan.source], self.grid.column[plan.target] - 1
            if plan.way == "between":
                level = self._level(plan)
                turns.append(Turn(plan.edge, 0, first, up, level))
                turns.append(Turn(plan.edge, 1, last, level, down))
            elif abs(up - down) > 0.5:
                turns.append(Turn(plan.edge, 0, last if plan.way == "source" else first, up, down))
        return turns

    def _level(self, plan: Plan) -> float:
        return self.track_y[plan.gap] + TRACK * plan.track

    # ---- widths

    def _columns(self, slots: dict[tuple[int, int], int]) -> tuple[list[float], list[float]]:
        """The centre of each column, and where the gap to its right ends."""
        count = self.grid.columns
        wide = [
            max((2 * self.extents[n].side for n in self.box if self.grid.column[n] == c), default=0.0)
            for c in range(count)
        ]
        channels = [0] * count
        turns = {(turn.edge, turn.number): turn.gap for turn in self._turns()}
        for key, slot in slots.items():
            channels[turns[key]] = max(channels[turns[key]], slot + 1)
        x, gap_right, here = [], [], 0.0
        for c in range(count):
            x.append(here + wide[c] / 2)
            room = max([GAP, *self._label_rooms(c, wide[c])]) if c < count - 1 else 0.0
            here += wide[c] + room + (CHANNEL * channels[c] + ARROW if channels[c] else 0.0)
            gap_right.append(here)
        return x, gap_right

    def _label_rooms(self, column: int, wide: float) -> list[float]:
        rooms = []
        for name in self.box:
            if self.grid.column[name] != column:
                continue
            half = self.extents[name].width / 2
            pad = FRAME + 4 if self._ends_frame(name) else 4.0
            labels = [
                line_label(self.panel.edges[p.edge], self.shapes, self._is_tight(name)).width for p in self.outs[name]
            ]
            stop = [stop_room(self.panel.edges[p.edge]) for p in self.outs[name] if self._stop_gap(p) == column]
            label = max(labels, default=0.0)
            if labels or stop:
                rooms.append(half + pad + label + max(stop, default=0.0) + 12 - wide / 2)
            side = (
                14.0
                if any(
                    uses_side(e, self.grid, self.flow, n) and name in (e.source, e.target)
                    for n, e in enumerate(self.panel.edges)
                )
                else 0.0
            )
            rooms.append(side + GAP)
            rooms += [
                label.width + 16 - wide / 2
                for label in relation_labels(self.panel, self.flow).values()
                if label.owner == name
            ]
            rooms += [FRAME * 2 + 8 + half - wide / 2] if self._ends_frame(name) else []
        rooms += [
            stop_room(self.panel.edges[p.edge]) + 12
            for p in self.plans
            if self._stop_gap(p) == column and self.grid.column[p.source] != column
        ]
        return rooms

    def _stop_gap(self, plan: Plan) -> int:
        if not self.panel.edges[plan.edge].stop:
            return -1
        return (
            self.grid.column[plan.target] - 1 if plan.way in ("source", "straight") else self.grid.column[plan.source]
        )

    def _is_tight(self, name: str) -> bool:
        """Whether lines with labels of their own leave a box so near to each other that a label has one line only."""
        labels = {(e.name, e.port, e.shape) for e in (self.panel.edges[p.edge] for p in self.outs[name])}
        return len(labels) > 1

    def _ends_frame(self, name: str) -> bool:
        frame = self.framed.get(name)
        return frame is not None and self.grid.column[name] == max(self.grid.column[n] for n in frame.boxes)

    # ---- points

    def _lines(
        self, places: dict[str, Place], slots: dict[tuple[int, int], int], gap_right: list[float]
    ) -> dict[int, list[Point]]:
        counts: dict[int, int] = {}
        turns = {(turn.edge, turn.number): turn for turn in self._turns()}
        for key, slot in slots.items():
            counts[turns[key].gap] = max(counts.get(turns[key].gap, 0), slot + 1)
        lines = {}
        for plan in self.plans:
            points = [(places[plan.source].right, self.port_out[plan.edge])]
            for number in (0, 1):
                if (turn := turns.get((plan.edge, number))) is not None:
                    x = gap_right[turn.gap] - ARROW - CHANNEL * (counts[turn.gap] - 1 - slots[plan.edge, number])
                    points += [(x, turn.start), (x, turn.end)]
            points.append((places[plan.target].left, self.port_in[plan.edge]))
            lines[plan.edge] = points
        return lines

    def _stops(self, out: Layout, gap_right: list[float]) -> None:
        for plan in self.plans:
            if self.panel.edges[plan.edge].stop:
                points = out.lines[plan.edge]
                gap = self._stop_gap(plan)
                turned = [x for x, _ in points[1:-1] if x <= gap_right[gap]]
                channels = [
                    points_[1][0]
                    for points_ in out.lines.values()
                    for points_ in [points_]
                    if len(points_) > 2 and gap_right[gap] - 90 < points_[1][0] <= gap_right[gap]
                ]
                end = min([*turned[:1], *channels, gap_right[gap] - 10])
                out.stops[plan.edge] = (end - 24, points[0][1])

    def _frames(self, out: Layout) -> None:
        for frame in self.panel.frames:
            spots = [out.places[name] for name in frame.boxes]
            is_low = self._is_low(frame)
            top = min(s.y - s.extent.above for s in spots) - (FRAME if is_low else FRAME_TITLE + 4)
            bottom = max(s.y + s.extent.below for s in spots) + (FRAME_TITLE + 4 if is_low else FRAME)
            out.frames.append(
                (frame, min(s.left for s in spots) - FRAME, top, max(s.right for s in spots) + FRAME, bottom, is_low)
            )

    def _relations(self, out: Layout) -> None:
        out.lines |= relation_points(
            self.panel, self.grid, out.places, self.flow, [self._room(r) for r in range(len(self.grid.rows))]
        )

    def _labels(self, out: Layout) -> None:
        said: set[tuple[str, str, str, str]] = set()
        for plan in sorted(self.plans, key=lambda p: (self.port_out[p.edge], p.edge)):
            edge = self.panel.edges[plan.edge]
            key = (edge.source, edge.name, edge.port, edge.shape)
            if key in said:
                continue
            said.add(key)
            label = line_label(edge, self.shapes, self._is_tight(plan.source))
            if label.width:
                out.labels.append(self._on_line(out, plan, edge, label))
        for number, label in relation_labels(self.panel, self.flow).items():
            out.labels.append(self._on_relation(out.lines[number], label))

    def _on_line(self, out: Layout, plan: Plan, edge: Edge, label: Label) -> Label:
        points = out.lines[plan.edge]
        start = points[0][0] + (FRAME if self._ends_frame(plan.source) else 0.0)
        end = points[1][0] if len(points) == 2 or plan.edge not in out.stops else out.stops[plan.edge][0] - 26
        if len(points) == 2 and plan.edge in out.stops:
            end = out.stops[plan.edge][0] - 26
        if len(points) == 2 and plan.edge not in out.stops:
            end -= 6
        middle = max(start + label.width / 2 + 4, min((start + end) / 2, start + 6 + max(60.0, label.width)))
        same = [
            self.port_out[p.edge]
            for p in self.outs[plan.source]
            if (self.panel.edges[p.edge].name, self.panel.edges[p.edge].shape) == (edge.name, edge.shape)
        ]
        return label.at(middle, points[0][1], max(same))

    def _on_relation(self, points: list[Point], label: Label) -> Label:
        longest = max(pairwise(points), key=lambda ends: abs(ends[0][1] - ends[1][1]))
        (x, y0), (_, y1) = longest
        return label.at(x + 9 + label.width / 2, (y0 + y1) / 2, (y0 + y1) / 2)

    def _bounds(self, out: Layout) -> None:
        xs, ys = [0.0], [0.0]
        for place in out.places.values():
            xs += [place.x - place.extent.side - 4, place.x + place.extent.side + 8]
            ys += [place.y - place.extent.above - 8, place.y + place.extent.below + 6]
        for points in out.lines.values():
            xs += [x for x, _ in points]
            ys += [y for _, y in points]
        for _, left, top, right, bottom, _ in out.frames:
            xs += [left, right]
            ys += [top, bottom]
        for label in out.labels:
            xs += [label.x - label.width / 2, label.x + label.width / 2]
            ys += [label.y - 16, label.low + 14]
        out.bounds = (min(xs), min(ys), max(xs), max(ys))
