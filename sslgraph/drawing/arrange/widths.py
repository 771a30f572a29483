"""Widths: where the columns stand, so that between them there is room for words and for turning lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from ..elements.measure import SLANT
from .channels import Turn, order_turns
from .draft import FRAME_DOWN, Draft, around
from .grid.routes import Plan
from .labels import line_label, relation_labels, stop_room

CHANNEL = 11.0  # between lines that turn side by side
ARROW, ARROW_NARROW = 16.0, 12.0  # from the last turn to the box
GAP_DOWN, ROW_DOWN, TITLE_DOWN = 16.0, 14.0, 13.0  # where data flows down: a gap, words in it, a frame's name


@dataclass(frozen=True)
class Columns:
    """The centre of each column, where the gap to its right ends, and the place of each turn in its gap."""

    x: list[float]
    gap_right: list[float]
    turn_x: dict[tuple[int, int], float]
    turns: dict[tuple[int, int], Turn]


def set_widths(draft: Draft) -> Columns:
    """Places the columns of a draft whose heights are known."""
    turns = _turns(draft)
    slots = order_turns(turns, draft.grid.columns)
    for _ in range(3):  # two lines that would run on top of each other whichever is left move apart at their start
        if (clash := next(_clashes(turns, slots), None)) is None:
            break
        _nudge(draft, clash.edge)
        turns = _turns(draft)
        slots = order_turns(turns, draft.grid.columns)
    return _columns(draft, {(turn.edge, turn.number): turn for turn in turns}, slots)


def _nudge(draft: Draft, edge: int) -> None:
    """Moves the start of a line by as much as its box allows."""
    source = draft.panel.edges[edge].source
    reach = max(draft.extents[source].height / 2 * (1 - SLANT) - 2, 0.0)
    here = draft.port_out[edge] - draft.y[source]
    moved = draft.port_out[edge] + (min(8.0, reach - here) if here <= 0 else max(-8.0, -reach - here))
    plan = next(plan for plan in draft.outs[source] if plan.edge == edge)
    draft.port_out |= dict.fromkeys((mate.edge for mate in draft.fork(plan)), moved)


def _clashes(turns: list[Turn], slots: dict[tuple[int, int], int]) -> Iterator[Turn]:
    for left, right in product(turns, turns):
        is_left = left.gap == right.gap and slots[left.edge, left.number] < slots[right.edge, right.number]
        if is_left and right.number == 0 and not left.is_fork_of(right) and abs(left.end - right.start) < 5:
            yield right


def _turns(draft: Draft) -> list[Turn]:
    turns = []
    for plan in draft.plans:
        up, down = draft.port_out[plan.edge], draft.port_in[plan.edge]
        first, last = draft.column(plan.source), draft.column(plan.target) - 1
        fork = draft.fork(plan)[0].edge
        if plan.way == "between":
            turns.append(Turn(plan.edge, 0, first, up, draft.level(plan), fork))
            turns.append(Turn(plan.edge, 1, last, draft.level(plan), down))
        elif abs(up - down) > 0.5:
            turns.append(Turn(plan.edge, 0, first if plan.way == "target" else last, up, down, fork))
    return turns


def _columns(draft: Draft, turns: dict[tuple[int, int], Turn], slots: dict[tuple[int, int], int]) -> Columns:
    count = draft.grid.columns
    channels = [0] * count
    for key, slot in slots.items():
        channels[turns[key].gap] = max(channels[turns[key].gap], slot + 1)
    x, gap_right, arrows, here = [], [], [], 0.0
    for c in range(count):
        wide = max((2 * draft.extents[n].side for n in draft.box if draft.column(n) == c), default=0.0)
        x.append(here + wide / 2)
        starts = any(draft.starts_frame(n) for n in draft.box if draft.column(n) == c + 1)
        arrow = ARROW_NARROW if draft.is_tight_sheet and not draft.is_down else ARROW
        arrows.append(arrow + (10.0 if starts else 0.0))
        frame = (FRAME_DOWN + TITLE_DOWN * draft.title_lines if draft.is_down else draft.frame) if starts else 0.0
        rooms = _rooms_down(draft, c, wide) if draft.is_down else [draft.gap, *_rooms(draft, c, wide)]
        room = max(rooms) + frame if c < count - 1 else 0.0
        here += wide + (room + CHANNEL * (channels[c] - 1) + arrows[c] if channels[c] else room)
        gap_right.append(here)
    turn_x = {
        key: gap_right[t.gap] - arrows[t.gap] - CHANNEL * (channels[t.gap] - 1 - slots[key]) for key, t in turns.items()
    }
    return Columns(x, gap_right, turn_x, turns)


def _rooms_down(draft: Draft, column: int, wide: float) -> list[float]:
    """What the gap below a row of boxes must hold before lines turn in it, where data flows down."""
    rooms = [GAP_DOWN]
    for name in (n for n in draft.box if draft.column(n) == column):
        half = draft.extents[name].width / 2 - wide / 2
        frame = FRAME_DOWN + 4 if draft.ends_frame(name) else 0.0
        labels = [line_label(draft.edge(p), draft.shapes, False, is_down=True).width for p in draft.outs[name]]
        rooms.append(half + frame + (ROW_DOWN if any(labels) else 0.0) + 8)
    lines = [p for p in draft.plans if stop_gap(draft, p) == column]
    return [*rooms, *(max(rooms) + stop_room(draft.edge(plan), is_down=True) for plan in lines)]


def _rooms(draft: Draft, column: int, wide: float) -> list[float]:
    """What the gap right of a column must hold before lines turn in it."""
    rooms = []
    is_passed = column in {draft.column(draft.panel.edges[n].target) for n in around(draft)}
    relations = relation_labels(draft.panel, draft.flow).values()
    for name in (n for n in draft.box if draft.column(n) == column):
        half = draft.extents[name].width / 2 - wide / 2
        pad = (draft.frame + 4 if draft.ends_frame(name) else 4.0) + (22.0 if is_passed else 0.0)
        leaving, stopped = draft.outs[name], [p for p in draft.outs[name] if stop_gap(draft, p) == column]
        labels = [line_label(draft.edge(p), draft.shapes, draft.is_tight(name)).width for p in leaving]
        stops = [stop_room(draft.edge(p), is_narrow=draft.is_tight_sheet) for p in stopped]
        label, stop = max(labels, default=0.0), max(stops, default=0.0)
        rooms.append(half + pad + label + stop + 12 if label or stop else draft.gap)
        rooms += [draft.gap + 14.0] if is_passed else []
        rooms += [label.width + 18 - wide / 2 for label in relations if name in (label.owner, label.end)]
        rooms += [draft.frame * 2 + 8 + half] if draft.ends_frame(name) else []
    passing = [p for p in draft.plans if stop_gap(draft, p) == column and draft.column(p.source) != column]
    return rooms + [stop_room(draft.edge(plan), is_narrow=draft.is_tight_sheet) + 12 for plan in passing]


def stop_gap(draft: Draft, plan: Plan) -> int:
    """The gap in which a line's stop-gradient stands, or -1; lines that fork are stopped before they do."""
    if not draft.edge(plan).stop:
        return -1
    if len(draft.fork(plan)) > 1:
        return draft.column(plan.source)
    return draft.column(plan.target) - 1 if plan.way in ("source", "straight") else draft.column(plan.source)
