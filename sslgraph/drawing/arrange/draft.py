"""A panel on its way to paper: its cells, the ways of its lines, the room of its boxes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

from ..elements.measure import Extent, extent, extent_down
from ..elements.picture import Box, Edge, Frame, Panel
from .grid.columns import columns
from .grid.routes import Plan, flowing, forks, plans
from .grid.rows import Grid, grid, is_straight
from .grid.ties import tied
from .labels import Label, line_label

PORT, TIGHT = 15.0, 16.5  # between lines at a box; where each has words of its own
FRAME, FRAME_NARROW, FRAME_TITLE = 14.0, 9.0, 26.0  # from a frame to its boxes; where its name stands
GAP, TIGHT_GAP = 26.0, 14.0  # between columns at least; on a narrow sheet
WORDS = 44.0  # of a line's words at most where it leaves its box and others beside it; longer ones stand further on
FRAME_DOWN = 6.0  # beside the boxes, where data flows down


@dataclass
class Draft:
    """Everything that is known of a panel before it has places, and the heights as they become known."""

    panel: Panel
    shapes: bool
    grid: Grid
    plans: list[Plan]
    tracks: list[int]
    box: dict[str, Box]
    flow: set[int]  # numbers of the lines that run from left to right
    outs: dict[str, list[Plan]]
    ins: dict[str, list[Plan]]
    extents: dict[str, Extent]
    framed: dict[str, Frame]
    spread: dict[str, float]  # how far from the middle of a box its lines stand, at most
    is_tight_sheet: bool = False  # the sheet is narrow: every unit counts
    is_down: bool = False  # the sheet is turned over in the end: what is level here is upright on paper
    y: dict[str, float] = field(default_factory=dict)
    track_y: list[float] = field(default_factory=list)  # of each gap between rows, its first track
    port_out: dict[int, float] = field(default_factory=dict)
    port_in: dict[int, float] = field(default_factory=dict)

    @property
    def gap(self) -> float:
        """Between columns at least."""
        return TIGHT_GAP if self.is_tight_sheet else GAP

    @property
    def frame(self) -> float:
        """From a frame's sides to its boxes, where data flows to the right."""
        return FRAME_NARROW if self.is_tight_sheet else FRAME

    def edge(self, plan: Plan) -> Edge:
        """The line that a plan is for."""
        return self.panel.edges[plan.edge]

    def level(self, plan: Plan) -> float:
        """The height at which a line runs between rows."""
        return self.track_y[plan.gap] + TRACK * plan.track

    def column(self, name: str) -> int:
        """The column of a box."""
        return self.grid.column[name]

    def passed(self, plan: Plan) -> range:
        """The columns between the two boxes of a line."""
        return range(self.column(plan.source) + 1, self.column(plan.target))

    def labels(self) -> Iterator[tuple[Plan, Label]]:
        """The words at all lines but relations; lines that leave a box with the same words say them once."""
        said: set[tuple[str, ...]] = set()
        for plan in sorted(self.plans, key=lambda p: (self.port_out[p.edge], p.edge)):
            edge = self.edge(plan)
            label = line_label(edge, self.shapes, self.is_tight(edge.source), is_down=self.is_down)
            if label.width and (key := (edge.source, edge.name, edge.port, edge.shape, edge.label)) not in said:
                said.add(key)
                yield plan, replace(label, edge=plan.edge)

    def is_tight(self, name: str) -> bool:
        """Whether several lines with words of their own leave a box, so that each has one row of words only."""
        return _is_tight(self.panel, self.outs[name])

    def ends_frame(self, name: str) -> bool:
        """Whether a box is the last of its frame."""
        return name in self.framed and self.column(name) == max(map(self.column, self.framed[name].boxes))

    def starts_frame(self, name: str) -> bool:
        """Whether a box is the first of its frame."""
        return name in self.framed and self.column(name) == min(map(self.column, self.framed[name].boxes))

    @property
    def title_lines(self) -> int:
        """How many words the names of frames have: where data flows down, each word has a line."""
        return max((len(frame.title.split()) for frame in self.framed.values()), default=0)

    def step(self, name: str) -> float:
        """Between the lines that leave a box."""
        return _step(self.panel, self.outs[name], self.shapes, is_down=self.is_down)

    def fork(self, plan: Plan) -> list[Plan]:
        """The lines that leave a box together, of which this is one."""
        return next(group for group in forks(self.panel, self.outs[plan.source]) if plan in group)

    @cached_property
    def grounds(self) -> list[list[int]]:
        """Rows that stand on one ground: neighbours whose frames have one name, no other net between their boxes."""
        found: list[list[int]] = []
        titles: list[str] = []
        for number, names in enumerate(self.grid.rows):
            title = next((self.framed[name].title for name in names if name in self.framed), "")
            is_near = bool(title and found) and found[-1][-1] == number - 1 and titles[-1] == title
            if is_near and self._is_free([*found[-1], number]):
                found[-1].append(number)
            elif title and self._is_free([number]):
                found.append([number])
                titles.append(title)
        return found

    def _is_free(self, rows: list[int]) -> bool:
        """Whether a ground behind these rows would hold no net but its own: a student is no part of a slow copy."""
        span = [self.column(name) for name in self.on_ground(rows)]
        others = [name for row in rows for name in self.grid.rows[row] if name not in self.framed]
        nets = [self.column(name) for name in others if self.box[name].weights != "none"]
        return not any(min(span) <= column <= max(span) for column in nets)

    def ground_of(self, row: int) -> list[int]:
        """The rows of the ground on which a row stands; none for a row on no ground."""
        return next((rows for rows in self.grounds if row in rows), [])

    def on_ground(self, rows: list[int]) -> list[str]:
        """The boxes that a ground is for."""
        return [name for row in rows for name in self.grid.rows[row] if name in self.framed]

    def is_low(self, rows: list[int]) -> bool:
        """Whether a ground's name stands below: where dotted lines come in from above."""
        inside = self.on_ground(rows)
        return any(edge.kind == "ema" and edge.target in inside for edge in self.panel.edges)

    def room(self, number: int) -> tuple[float, float]:
        """The room of a row above and below its centre line, its frame included."""
        if not 0 <= number < len(self.grid.rows):
            return 0.0, 0.0
        names = self.grid.rows[number]
        above = max(self.extents[n].above for n in names)
        below = max(self.extents[n].below for n in names)
        ground = self.ground_of(number)
        if ground:
            framed = [name for name in names if name in self.framed]
            is_low = self.is_low(ground)
            over = (FRAME if is_low else FRAME_TITLE) if number == ground[0] else FRAME
            under = (FRAME_TITLE if is_low else FRAME) if number == ground[-1] else FRAME
            over, under = (FRAME_DOWN, FRAME_DOWN) if self.is_down else (over, under)
            above = max(above, max(self.extents[n].above for n in framed) + over)
            below = max(below, max(self.extents[n].below for n in framed) + under)
        return above, below


TRACK = 13.0  # between lines that run above each other


def draft(panel: Panel, *, shapes: bool, is_down: bool = False, is_tight: bool = False) -> Draft:
    """The cells of a panel and the ways of its lines."""
    cells = _cells(replace(panel, boxes=tuple(Box(box.id, box.kind, lane=box.lane) for box in panel.boxes)))
    panel = tied(panel, cells)
    ways, tracks = plans(panel, cells)
    outs: dict[str, list[Plan]] = {box.id: [] for box in panel.boxes}
    ins: dict[str, list[Plan]] = {box.id: [] for box in panel.boxes}
    for plan in ways:
        outs[plan.source].append(plan)
        ins[plan.target].append(plan)
    extents, spread = {}, dict[str, float]()
    for box in panel.boxes:
        step = _step(panel, outs[box.id], shapes, is_down=is_down)
        leaving = forks(panel, outs[box.id])
        arriving = [[plan] for plan in ins[box.id]]
        busy = max(_reach(cells, box.id, leaving) * step, _reach(cells, box.id, arriving) * PORT)
        spread[box.id] = busy
        if is_down:
            is_left = _is_note_above(panel, cells, box)
            extents[box.id] = extent_down(box, busy * 2, shapes=shapes, is_note_left=is_left, is_narrow=is_tight)
            continue
        busy = max(_reach(cells, box.id, leaving), _reach(cells, box.id, arriving)) * step
        extents[box.id] = extent(box, busy * 2, is_note_above=_is_note_above(panel, cells, box), is_narrow=is_tight)
    framed = {name: frame for frame in panel.frames for name in frame.boxes}
    flow = {number for number, _ in flowing(panel, cells)}
    box_of = {box.id: box for box in panel.boxes}
    form = is_tight, is_down
    return Draft(panel, shapes, cells, ways, tracks, box_of, flow, outs, ins, extents, framed, spread, *form)


@lru_cache(16)
def _cells(panel: Panel) -> Grid:
    """The cells of a panel, of whose boxes they ask neither words nor sizes."""
    return grid(panel, columns(panel))


def _step(panel: Panel, leaving: list[Plan], shapes: bool, *, is_down: bool) -> float:
    """Between the lines that leave a box: where data flows down, the words of each stand right of it."""
    is_tight = _is_tight(panel, leaving)
    if not is_down:
        return TIGHT if is_tight else PORT
    wide = [line_label(panel.edges[plan.edge], shapes, True, is_down=True).width for plan in leaving]
    return max([PORT, *(min(room, WORDS) + 10 for room in wide)]) if is_tight else PORT


def _is_tight(panel: Panel, leaving: list[Plan]) -> bool:
    leaving = [group[0] for group in forks(panel, leaving)]
    words = {(e.name, e.port, e.shape, e.label) for e in (panel.edges[plan.edge] for plan in leaving)}
    return sum(bool(line_label(panel.edges[plan.edge], True, False).width) for plan in leaving) > 1 and len(words) > 1


def _reach(cells: Grid, name: str, lines: list[list[Plan]]) -> float:
    """How many lines stand above or below the middle of one side of a box, at most; forks leave it as one."""
    row = cells.row
    straight = sum(any(plan.way == "straight" for plan in group) for group in lines)
    if name not in row or not straight:
        return (len(lines) - 1) / 2
    above = below = 0
    for plan in (group[0] for group in lines if all(plan.way != "straight" for plan in group)):
        other = plan.target if plan.source == name else plan.source
        place = plan.gap - 0.5 if plan.way == "between" else row.get(other, row[name])
        above += place <= row[name]
        below += place >= row[name]
    return max(above, below) + straight - 1


def _is_note_above(panel: Panel, cells: Grid, box: Box) -> bool:
    """A note stands above a box that a relation leaves below."""
    row = cells.row
    ends = [{edge.source, edge.target} for edge in panel.edges if edge.kind != "data"]
    others = {other for pair in ends if box.id in pair for other in pair}
    return box.kind != "loss" and any(row.get(other, 0) > row.get(box.id, 0) for other in others)


def around(draft_: Draft) -> list[int]:
    """The numbers of the relations that are no straight line down a column."""
    relations = [(n, e) for n, e in enumerate(draft_.panel.edges) if e.kind != "data" and n not in draft_.flow]
    return [number for number, edge in relations if not is_straight(edge, draft_.grid)]
