"""Branches: in which row each box stands, and in which order the rows follow each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

from .picture import Edge, Panel

EXACT = 6  # up to so many rows every order is tried
FREE = ("image", "loss")  # stand at the mean height of their neighbours, alone in their columns
_LENGTH = {"data": 1.0, "ema": 1.2, "same": 1.2, "write": 0.8}


@dataclass(frozen=True)
class Grid:
    """Cells: at most one box for each row and column; images and losses stand in columns of their own."""

    column: dict[str, int]
    rows: tuple[tuple[str, ...], ...]

    @property
    def row(self) -> dict[str, int]:
        """The row of every box that has one."""
        return {name: number for number, names in enumerate(self.rows) for name in names}

    @property
    def columns(self) -> int:
        """How many columns there are."""
        return max(self.column.values(), default=-1) + 1


def grid(panel: Panel, column: dict[str, int]) -> Grid:
    """The cells of a panel: rows in the order that keeps lines short and uncrossed, a net above its slow copy."""
    rows = _rows(panel, column)
    order = _best_order(panel, column, rows)
    return Grid(column, tuple(tuple(rows[i]) for i in order))


def _rows(panel: Panel, column: dict[str, int]) -> list[list[str]]:
    """One row for each lane, further ones where two boxes of a lane share a column, one for each state."""
    rows: dict[str, list[str]] = {lane: [] for lane in panel.lanes}
    for box in panel.boxes:
        if box.kind in FREE:
            continue
        key = box.lane or _beside(panel, column, rows, box.id) or f"state {box.id}"
        row = rows.setdefault(key, [])
        number = 1
        while any(column[other] == column[box.id] for other in row):
            number += 1
            row = rows.setdefault(f"{key} {number}", [])
        row.append(box.id)
    return [row for row in rows.values() if row]


def _beside(panel: Panel, column: dict[str, int], rows: dict[str, list[str]], state: str) -> str:
    """The lane of what writes to a state that nothing reads: it may stand at the lane's end."""
    if any(edge.source == state for edge in panel.edges):
        return ""
    writers = [edge.source for edge in panel.edges if edge.kind == "write" and edge.target == state]
    lanes = [
        lane
        for lane, row in rows.items()
        if writers and writers[0] in row and column[state] > max(column[name] for name in row)
    ]
    return lanes[0] if lanes else ""


def _best_order(panel: Panel, column: dict[str, int], rows: list[list[str]]) -> Sequence[int]:
    costs = _Costs(panel, column, rows)
    if len(rows) <= 1:
        return range(len(rows))
    if len(rows) <= EXACT:
        short = sorted(permutations(range(len(rows))), key=lambda order: (costs.length(order), order))[:12]
        return min(short, key=lambda order: (costs.length(order) + costs.crossings(order), order))
    return _improved(costs, list(range(len(rows))))


def _improved(costs: _Costs, order: list[int]) -> list[int]:
    """From an order to one that no move of a single row betters, in a few rounds."""
    best = costs.length(order)
    for _ in range(4):
        changed = False
        for row in range(len(order)):
            for place in range(len(order)):
                tried = [r for r in order if r != row]
                tried.insert(place, row)
                if (cost := costs.length(tried)) < best - 1e-9:
                    order, best, changed = tried, cost, True
        if not changed:
            break
    return order


class _Costs:
    """What an order of rows costs: long lines, crossings, a slow copy above its net."""

    def __init__(self, panel: Panel, column: dict[str, int], rows: list[list[str]]) -> None:
        row = {name: number for number, names in enumerate(rows) for name in names}
        free: dict[str, list[int]] = {}
        for edge in panel.edges:
            if edge.target not in row and edge.source in row:
                free.setdefault(edge.target, []).append(row[edge.source])
            elif edge.source not in row and edge.target in row:
                free.setdefault(edge.source, []).append(row[edge.target])
        self.lines = [
            (row[e.source], row[e.target], _LENGTH[e.kind], e.kind == "ema")
            for e in panel.edges
            if e.source in row and e.target in row and row[e.source] != row[e.target]
        ]
        self.ends = [ends for ends in free.values() if len(ends) > 1]
        self.spans = _spans(panel.edges, column, row, free)
        self.apart = [(a, b) for a, b in combinations(range(len(rows)), 2)]

    def length(self, order: Sequence[int]) -> float:
        at = [0] * len(order)
        for place, row in enumerate(order):
            at[row] = place
        cost = 0.0
        for a, b, weight, is_ema in self.lines:
            down = at[b] - at[a]
            cost += weight * abs(down) + (40.0 if is_ema and down < 0 else 0.0)
        for ends in self.ends:
            places = [at[end] for end in ends]
            cost += 0.5 * (max(places) - min(places))
        return cost + 0.05 * sum(at[a] > at[b] for a, b in self.apart)

    def crossings(self, order: Sequence[int]) -> float:
        at = {row: place for place, row in enumerate(order)}

        def height(rows: list[int]) -> float:
            return sum(at[r] for r in rows) / len(rows)

        found = 0.0
        lines = [(a, height(up), b, height(down), ends) for a, up, b, down, ends in self.spans]
        for (a, u, b, v, one), (c, s, d, t, other) in combinations(lines, 2):
            low, high = max(a, c), min(b, d)
            if low < high and not one & other:
                first = _at(low, a, u, b, v) - _at(low, c, s, d, t)
                last = _at(high, a, u, b, v) - _at(high, c, s, d, t)
                found += first * last < -1e-9
        return 2.0 * found


def _spans(
    edges: Sequence[Edge], column: dict[str, int], row: dict[str, int], free: dict[str, list[int]]
) -> list[tuple[int, list[int], int, list[int], frozenset[str]]]:
    found = []
    for edge in edges:
        up, down = ([row[end]] if end in row else free.get(end, [0]) for end in (edge.source, edge.target))
        if edge.kind == "data":
            found.append((column[edge.source], up, column[edge.target], down, frozenset((edge.source, edge.target))))
    return found


def _at(x: float, a: float, u: float, b: float, v: float) -> float:
    return u + (v - u) * (x - a) / (b - a)
