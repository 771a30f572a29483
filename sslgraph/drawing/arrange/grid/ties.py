"""Between which boxes of a net, and of its slow copy, their lines run: the nearest ones, once their rows are known."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from ...elements.picture import Edge, Panel
from .rows import Grid, is_straight


def tied(panel: Panel, grid: Grid) -> Panel:
    """The panel with its double lines from each box of a net to the next below, and EMA lines between the nearest.

    A net of several calls is one thing: which of its boxes a line starts from says nothing, so it takes the shortest
    way. Where the lines are straight already they stay.
    """
    part = {box.id: box.part or box.id for box in panel.boxes}
    boxes: dict[str, list[str]] = {}
    for box in panel.boxes:
        boxes.setdefault(part[box.id], []).append(box.id)
    edges = list(panel.edges)
    for name in dict.fromkeys(part[edge.source] for edge in edges if edge.kind == "same"):
        numbers = [n for n, edge in enumerate(edges) if edge.kind == "same" and part[edge.source] == name]
        edges = _chained(edges, numbers, grid)
    for number, edge in enumerate(edges):
        if edge.kind == "ema" and not is_straight(edge, grid):
            edges[number] = _nearest(edge, boxes[part[edge.source]], boxes[part[edge.target]], grid)
    return replace(panel, edges=tuple(edges))


def _chained(edges: list[Edge], numbers: list[int], grid: Grid) -> list[Edge]:
    """The lines between the boxes of one net, each to the next below."""
    if all(is_straight(edges[n], grid) for n in numbers):
        return edges
    ends = {end for n in numbers for end in (edges[n].source, edges[n].target)}
    order = sorted(ends & grid.row.keys(), key=lambda name: (grid.row[name], grid.column[name]))
    if len(order) != len(numbers) + 1:
        return edges
    found = list(edges)
    for number, (one, other) in zip(numbers, pairwise(order), strict=True):
        found[number] = replace(edges[number], source=one, target=other)
    return found


def _nearest(edge: Edge, nets: list[str], copies: list[str], grid: Grid) -> Edge:
    """An EMA line straight down from a box of the net to one of its copy, the shortest; as it was if there is none."""
    row = grid.row
    tried = [replace(edge, source=net, target=copy) for net in nets for copy in copies]
    straight = [one for one in tried if is_straight(one, grid) and row[one.source] < row[one.target]]
    return min(straight, key=lambda one: row[one.target] - row[one.source], default=edge)
