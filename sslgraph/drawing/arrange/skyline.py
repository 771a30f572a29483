"""Where data flows down: branches move together until a box, a line or words are in their way, place by place."""

from __future__ import annotations

from dataclasses import dataclass

from .draft import FRAME_DOWN, TRACK, Draft
from .labels import relation_labels
from .relations import margins

GAP, NARROW = 12.0, 8.0  # between two things at one place; on a narrow sheet
WORDS = 8.0  # around the words of a relation
TRACK_GAP = 9.0  # from a line between two branches to what stands beside it


@dataclass(frozen=True)
class Reach:
    """How far a row reaches to either side of its centre line at one of its columns."""

    above: float
    below: float


def set_rows(draft: Draft) -> None:
    """Sets the height of every row, and of what runs between rows, as near to the first row as can be."""
    front: dict[int, float] = {}  # for each column how far it is filled
    count = len(draft.grid.rows)
    for number in range(count + 1):
        tracks = draft.tracks[number]
        thick = TRACK * (tracks - 1) if tracks else 0.0
        passed = _passed(draft, number)
        if number == 0:
            above = max((reach.above for reach in _reach(draft, 0).values()), default=0.0)
            draft.track_y.append(-above - 14 - thick)
        else:
            beside = draft.y[draft.grid.rows[number - 1][0]]  # where a line that passes nothing runs
            start = max((front[column] for column in passed if column in front), default=beside)
            draft.track_y.append(start + TRACK_GAP)
            if tracks:
                front |= dict.fromkeys(passed, draft.track_y[-1] + thick + TRACK_GAP - _gap(draft))
        if number < count:
            _set_row(draft, number, front)


def _set_row(draft: Draft, number: int, front: dict[int, float]) -> None:
    reach = _reach(draft, number)
    heights = [front[column] + _gap(draft) + reach[column].above for column in reach.keys() & front.keys()]
    heights += _worded(draft, number, reach)
    y = max(heights, default=0.0) if number else 0.0
    draft.y |= dict.fromkeys(draft.grid.rows[number], y)
    for column, room in reach.items():
        front[column] = max(front.get(column, y), y + room.below)


def _gap(draft: Draft) -> float:
    return NARROW if draft.is_tight_sheet else GAP


def _passed(draft: Draft, gap: int) -> list[int]:
    """The columns that lines between two rows pass."""
    plans = [plan for plan in draft.plans if plan.way == "between" and plan.gap == gap]
    return sorted({column for plan in plans for column in draft.passed(plan)})


def _reach(draft: Draft, number: int) -> dict[int, Reach]:
    """What a row fills, column by column: its boxes with their frames, and the lines that run along it."""
    found: dict[int, Reach] = {}

    def fill(column: int, above: float, below: float) -> None:
        old = found.get(column, Reach(0.0, 0.0))
        found[column] = Reach(max(old.above, above), max(old.below, below))

    names = draft.grid.rows[number]
    for name in names:
        mates = draft.framed[name].boxes if name in draft.framed else (name,)
        columns = [draft.column(mate) for mate in mates]
        frame = FRAME_DOWN if name in draft.framed else 0.0
        for column in range(min(columns), max(columns) + 1):
            # A frame is as wide as its widest box, at all of its columns.
            fill(column, draft.extents[name].above + frame, draft.extents[name].below + frame)
    for plan in draft.plans:
        along = {"source": plan.source, "target": plan.target, "straight": plan.source}.get(plan.way, "")
        if along in names:
            side = draft.spread[along] + 2
            for column in draft.passed(plan):
                fill(column, side, side)
    under, over = margins(draft, number, is_below=True), margins(draft, number, is_below=False)
    if under or over:  # relations run beside the whole row
        above, below = draft.room(number)
        for column in range(draft.grid.columns):
            fill(column, above + over if over else 0.0, below + under if under else 0.0)
    return found


def _worded(draft: Draft, number: int, reach: dict[int, Reach]) -> list[float]:
    """The heights at which the words of relations fit between a row and one before it."""
    row, found = draft.grid.row, list[float]()
    for label in relation_labels(draft.panel, draft.flow).values():
        low, high = sorted((row.get(label.owner, 0), row.get(label.end, 0)))
        column, before = draft.column(label.end), _reach(draft, low) if low < high == number else {}
        if label.kind != "same" and column in before and column in reach:
            y = draft.y[draft.grid.rows[low][0]]
            room = label.wide + WORDS
            if draft.tracks[number] and column in _passed(draft, number):  # lines run between the rows, too
                room += TRACK * (draft.tracks[number] - 1) + 2 * TRACK_GAP
            found.append(y + before[column].below + reach[column].above + max(room, _gap(draft)))
    return found
