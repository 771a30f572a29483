"""The order of rows: short lines, straight gradients, a net above its slow copy; rows side by side where they fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

from ...elements.picture import Panel, Relation
from .columns import is_forward

EXACT = 5  # up to so many rows every order is tried; above, single rows are moved until no move helps
ROUNDS = 4
_LENGTH = {"data": 1.0, "ema": 1.2, "same": 1.2, "write": 0.8}
UPSIDE_DOWN, CROSSING, SPREAD, STRANGE = 40.0, 1.0, 0.5, 0.05
CUT = 6.0  # for a line that a write crosses: what is kept stands aside of the lines
BLOCKED, PASSED = 6.0, 3.0
ASKED = 100.0  # for two rows in another order than the author asked for


@dataclass(frozen=True)
class _Line:
    """A line between two rows, or from a row to a loss or an image that has none (-1)."""

    source: int
    target: int
    first: int  # column
    last: int
    kind: Relation
    is_relation: bool

    @property
    def upright(self) -> float:
        """Where a relation runs upright: down its column, or right of the column where it ends."""
        return self.last + (0.5 if self.first != self.last else 0.0)


def best_order(panel: Panel, column: dict[str, int], rows: list[list[str]]) -> dict[int, int]:
    """For each row its place from above; rows whose columns lie apart may share one."""
    costs = _Costs(panel, column, rows)
    start = list(range(len(rows)))
    if len(rows) <= EXACT:
        found: Sequence[int] = min(permutations(start), key=lambda order: (round(costs.of(order), 6), order))
    else:
        found = _improved(costs, start)
    return costs.places(found)


def _improved(costs: _Costs, order: list[int]) -> list[int]:
    best = costs.of(order)
    for _ in range(ROUNDS):
        before = best
        for row in range(len(order)):
            for place in range(len(order)):
                tried = [r for r in order if r != row]
                tried.insert(place, row)
                if (cost := costs.of(tried)) < best - 1e-9:
                    order, best = tried, cost
        if best == before:
            break
    return order


class _Costs:
    """What an order of rows costs."""

    def __init__(self, panel: Panel, column: dict[str, int], rows: list[list[str]]) -> None:
        self.strange = ASKED if panel.is_ordered else STRANGE
        row = {name: number for number, names in enumerate(rows) for name in names}
        self.columns = [frozenset(column[name] for name in names) for names in rows]
        title = {name: frame.title for frame in panel.frames for name in frame.boxes}
        self.grounds = [{title[name] for name in names if name in title} for names in rows]
        # How far the frames of one name reach, whatever rows they stand in: no stranger stands on their ground.
        self.reach = {of: [column[name] for name in title if title[name] == of] for of in title.values()}
        self.lines = []
        for edge in panel.edges:
            source, target = row.get(edge.source, -1), row.get(edge.target, -1)
            is_relation = edge.kind != "data" and not is_forward(panel, edge, column)
            first, last = column[edge.source], column[edge.target]
            self.lines.append(_Line(source, target, first, last, edge.kind, is_relation))
        self.apart = [
            line for line in self.lines if -1 not in (line.source, line.target) and line.source != line.target
        ]
        self.beside: dict[tuple[int, int], bool] = {}
        free: dict[str, list[int]] = {}
        for edge in panel.edges:
            if edge.target not in row and edge.source in row:
                free.setdefault(edge.target, []).append(row[edge.source])
        self.ends = [ends for ends in free.values() if len(ends) > 1]
        # A line that stays in its row passes columns, too, and is crossed there.
        level = [line for line in self.lines if not line.is_relation and -1 not in (line.source, line.target)]
        relations = [line for line in self.apart if line.is_relation]
        self.crossed = [(a, b) for a in relations for b in level if b.first < a.upright < b.last]
        pairs = [(a, b) for a, b in combinations(level, 2) if a.source != a.target or b.source != b.target]
        self.pairs = [(a, b) for a, b in pairs if max(a.first, b.first) < min(a.last, b.last)]

    def places(self, order: Sequence[int]) -> dict[int, int]:
        """The place of each row; a row goes beside those before it if their columns and their lines leave it room."""
        places: dict[int, int] = {}
        here: list[int] = []
        place = -1
        for row in order:
            if not here or not all(self._is_beside(row, other) for other in here):
                place += 1
                here = []
            here.append(row)
            places[row] = place
        return places

    def _is_beside(self, one: int, other: int) -> bool:
        if (one, other) not in self.beside:
            a, b = self.columns[one], self.columns[other]
            is_apart = max(a) < min(b) or max(b) < min(a)
            is_apart = is_apart and len(self.grounds[one] | self.grounds[other]) < 2
            is_apart = is_apart and not self._is_stranger(one, other) and not self._is_stranger(other, one)
            self.beside[one, other] = is_apart and not any(self._bars(line, one, other) for line in self.lines)
        return self.beside[one, other]

    def _is_stranger(self, one: int, other: int) -> bool:
        """Whether a row without a frame would stand on the ground of another row's frames."""
        if self.grounds[one]:
            return False
        spans = [self.reach[title] for title in self.grounds[other]]
        return any(min(span) <= column <= max(span) for span in spans for column in self.columns[one])

    def _bars(self, line: _Line, one: int, other: int) -> bool:
        """Whether a line would run into a box of the one row because it starts or ends in the other."""
        between = range(line.first + 1, line.last)
        ends = (line.source, line.target)
        return (one in ends and any(c in self.columns[other] for c in between)) or (
            other in ends and any(c in self.columns[one] for c in between)
        )

    def of(self, order: Sequence[int]) -> float:
        """The cost of an order."""
        at = self.places(order)
        cost = self.strange * sum(a > b for a, b in combinations(order, 2))
        for line in self.apart:
            down = at[line.target] - at[line.source]
            cost += _LENGTH[line.kind] * abs(down) + (UPSIDE_DOWN if line.kind == "ema" and down <= 0 else 0.0)
        for ends in self.ends:
            places = [at[end] for end in ends]
            cost += SPREAD * (max(places) - min(places))
        cost += sum(_weight(a, b) for a, b in self.pairs if _cross(at, a, b))
        cost += sum(_weight(a, b) for a, b in self.crossed if _is_over(at, a, b))
        return cost + self._blocked(at)

    def _blocked(self, at: dict[int, int]) -> float:
        """Lines that find a box in their way."""
        cells: dict[int, set[int]] = {}
        for row, place in at.items():
            cells.setdefault(place, set()).update(self.columns[row])
        cost = 0.0
        for line in self.lines:
            between = range(line.first + 1, line.last)
            ends = [at[row] for row in (line.source, line.target) if row >= 0]
            if line.is_relation and line.first == line.last and len(ends) == 2:
                low, high = sorted(ends)
                cost += PASSED * any(line.first in cells[place] for place in range(low + 1, high))
            elif not line.is_relation and ends and all(any(c in cells[place] for c in between) for place in ends):
                cost += BLOCKED
        return cost


def _weight(one: _Line, other: _Line) -> float:
    return CUT if "write" in (one.kind, other.kind) else CROSSING


def _cross(at: dict[int, int], one: _Line, other: _Line) -> bool:
    low, high = max(one.first, other.first), min(one.last, other.last)
    before, after = _height(at, one, low) - _height(at, other, low), _height(at, one, high) - _height(at, other, high)
    return before * after < -1e-9


def _is_over(at: dict[int, int], relation: _Line, level: _Line) -> bool:
    """Whether a relation between two rows crosses a line that passes its column."""
    low, high = sorted((at[relation.source], at[relation.target]))
    return low < _height(at, level, relation.upright) < high


def _height(at: dict[int, int], line: _Line, column: float) -> float:
    up, down = at[line.source], at[line.target]
    return up + (down - up) * (column - line.first) / (line.last - line.first)
