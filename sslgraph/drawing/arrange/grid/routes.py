"""The way of each line through the grid: along a row that is empty there, or between two rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ...elements.picture import Edge, Panel
from .columns import is_forward
from .rows import Grid

Way = Literal["straight", "source", "target", "between"]


@dataclass(frozen=True)
class Plan:
    """A line from left to right: it turns at its end (source), at its start (target), or twice (between two rows)."""

    edge: int  # number of the line in the panel
    source: str
    target: str
    way: Way
    gap: int = 0  # of `between`: above row `gap`
    track: int = 0  # of `between`: which of the parallel tracks


def plans(panel: Panel, grid: Grid) -> tuple[list[Plan], list[int]]:
    """The ways of all lines that run from left to right, and for each gap between rows how many tracks it holds."""
    work = _Planning(grid)
    order = sorted(flowing(panel, grid), key=lambda e: (grid.column[e[1].target] - grid.column[e[1].source], e[0]))
    found = sorted((work.plan(number, edge) for number, edge in order), key=lambda plan: plan.edge)
    return found, [len(tracks) for tracks in work.tracks]


def flowing(panel: Panel, grid: Grid) -> list[tuple[int, Edge]]:
    """The lines that run from left to right: data, and a write to a state further right."""
    edges = enumerate(panel.edges)
    return [(n, e) for n, e in edges if e.kind == "data" or is_forward(panel, e, grid.column)]


def forks(panel: Panel, leaving: Sequence[Plan]) -> list[list[Plan]]:
    """The lines that leave a box in groups: what is one value drawn in one way leaves at one place and then forks."""
    groups: dict[object, list[Plan]] = {}
    for plan in leaving:
        edge = panel.edges[plan.edge]
        alike = (edge.kind, edge.gradient, edge.stop, edge.name, edge.port, edge.shape, edge.label)
        groups.setdefault(alike, []).append(plan)
    return list(groups.values())


class _Planning:
    """Plans lines one by one, the short ones first; what is taken stays taken."""

    def __init__(self, grid: Grid) -> None:
        self.grid, self.row = grid, grid.row
        self.cells = {(self.row[name], grid.column[name]) for names in grid.rows for name in names}
        self.taken: list[tuple[int, int, int, str]] = []  # row, from column, to column, who may share it
        self.tracks: list[list[list[tuple[int, int]]]] = [[] for _ in range(len(grid.rows) + 1)]

    def plan(self, number: int, edge: Edge) -> Plan:
        column, source, target = self.grid.column, edge.source, edge.target
        a, b = column[source], column[target]
        up, down = self.height(source), self.height(target)
        is_near = b - a == 1
        if is_near or (up == down and self._is_open(source, a, b, source)):
            self._take(source, a, b, source, is_near)
            return Plan(number, source, target, "straight" if up == down else "target")
        if self._is_open(source, a, b, source):
            self._take(source, a, b, source, False)
            return Plan(number, source, target, "source")
        if self._is_open(target, a, b, target):
            self._take(target, a, b, target, False)
            return Plan(number, source, target, "target")
        gap = self._gap(up, down, a, b)
        return Plan(number, source, target, "between", gap, self._track(gap, a, b))

    def height(self, name: str) -> float:
        """The row of a box; of an image or a loss, the middle of the rows."""
        return float(self.row[name]) if name in self.row else (len(self.grid.rows) - 1) / 2

    def _is_open(self, name: str, a: int, b: int, owner: str) -> bool:
        """Whether the row of a box is empty strictly between two columns, and no stranger runs there."""
        if name not in self.row:
            return False
        row = self.row[name]
        if any((row, column) in self.cells for column in range(a + 1, b)):
            return False
        return all(r != row or who == owner or end <= a or start >= b for r, start, end, who in self.taken)

    def _take(self, name: str, a: int, b: int, owner: str, is_near: bool) -> None:
        if name in self.row and not is_near:
            self.taken.append((self.row[name], a, b, owner))

    def _gap(self, up: float, down: float, a: int, b: int) -> int:
        """The gap between rows with the shortest way and the fewest tracks; gap k lies above row k."""

        def cost(gap: int) -> tuple[float, int]:
            height = gap - 0.5
            return abs(up - height) + abs(down - height) + 0.4 * self._load(gap, a, b), gap

        return min(range(len(self.tracks)), key=cost)

    def _load(self, gap: int, a: int, b: int) -> int:
        return sum(any(start < b and a < end for start, end in track) for track in self.tracks[gap])

    def _track(self, gap: int, a: int, b: int) -> int:
        for number, track in enumerate(self.tracks[gap]):
            if all(end <= a or start >= b for start, end in track):
                track.append((a, b))
                return number
        self.tracks[gap].append([(a, b)])
        return len(self.tracks[gap]) - 1
