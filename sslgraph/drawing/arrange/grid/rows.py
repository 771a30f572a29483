"""Branches: in which row each box stands, and in which order the rows follow each other."""

from __future__ import annotations

from dataclasses import dataclass

from ...elements.picture import Edge, Panel
from .order import best_order

FREE = ("image", "loss")  # an image, and a loss that is alone, stand at the mean height of their neighbours


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
    """The cells of a panel: rows in the order that keeps lines short and straight, a net above its slow copy."""
    rows = _rows(panel, column)
    order = best_order(panel, column, rows)
    merged: list[list[str]] = [[] for _ in set(order.values())]
    for row, place in sorted(order.items(), key=lambda item: (item[1], item[0])):
        merged[place] += rows[row]
    return Grid(column, tuple(tuple(row) for row in merged))


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
    _seat_losses(panel, list(rows.values()))
    return [row for row in rows.values() if row]


def _seat_losses(panel: Panel, rows: list[list[str]]) -> None:
    """Several losses stand at the ends of the branches that they train, each on one of its own."""
    losses = [box.id for box in panel.boxes if box.kind == "loss"]
    free = list(rows)
    for loss in losses if len(losses) > 1 else []:
        inputs = sorted((e for e in panel.edges if e.target == loss), key=lambda e: e.gradient != "gradient")
        row = next((row for edge in inputs for row in free if edge.source in row), None)
        if row is not None:
            row.append(loss)
            free = [other for other in free if other is not row]


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


def is_straight(edge: Edge, grid: Grid) -> bool:
    """Whether a relation is one vertical line: one column, and no box between."""
    row = grid.row
    if edge.source not in row or edge.target not in row or grid.column[edge.source] != grid.column[edge.target]:
        return False
    low, high = sorted((row[edge.source], row[edge.target]))
    column = grid.column[edge.source]
    return low != high and not any(grid.column[name] == column for r in range(low + 1, high) for name in grid.rows[r])
