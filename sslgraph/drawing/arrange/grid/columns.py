"""Stages: in which column each box stands."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from ...elements.picture import Edge, Panel


def columns(panel: Panel) -> dict[str, int]:
    """The column of every box: after all that it reads; twins together; losses last; a state just before its reader."""
    ids = [box.id for box in panel.boxes]
    data = [(edge.source, edge.target) for edge in panel.edges if edge.kind == "data"]
    group = {name: name for name in ids}
    for kind in ("ema", "same"):
        for edge in panel.edges:
            if edge.kind == kind:
                joined = {name: group[edge.source] if g == group[edge.target] else g for name, g in group.items()}
                group = joined if _depths(joined, data) is not None else group
    depths = _depths(group, data)
    if depths is None:
        raise ValueError("the picture goes round in a circle")
    column = {name: depths[group[name]] for name in ids}
    _losses(panel, column)
    _states(panel, column, data)
    _losses(panel, column)
    return column


def _depths(group: dict[str, str], data: list[tuple[str, str]]) -> dict[str, int] | None:
    """The longest way to each group of boxes; None if the groups go round in a circle."""
    reads: dict[str, set[str]] = {g: set() for g in group.values()}
    for source, target in data:
        reads[group[target]].add(group[source])
    depths: dict[str, int] = {}
    try:
        for here in TopologicalSorter(reads).static_order():
            depths[here] = max((depths[before] + 1 for before in reads[here]), default=0)
    except CycleError:
        return None
    return depths


def _states(panel: Panel, column: dict[str, int], data: list[tuple[str, str]]) -> None:
    """States, and ops that read nothing, stand just left of their readers; a state that is only written, at the end."""
    tied = {end for edge in panel.edges if edge.kind in ("ema", "same") for end in (edge.source, edge.target)}
    for box in reversed(panel.boxes):
        readers = [target for source, target in data if source == box.id]
        reads = [source for source, target in data if target == box.id]
        if box.kind == "memory" or (not reads and box.kind in ("op", "link") and box.id not in tied):
            if readers:
                column[box.id] = max(column[box.id], min(column[reader] for reader in readers) - 1)
            else:
                writes = [edge for edge in panel.edges if edge.kind == "write" and edge.target == box.id]
                column[box.id] = max([column[box.id], *(column[edge.source] + 1 for edge in writes)])


def _losses(panel: Panel, column: dict[str, int]) -> None:
    losses = {box.id for box in panel.boxes if box.kind == "loss"}
    last = max((column[box.id] for box in panel.boxes if box.id not in losses), default=-1) + 1
    column |= dict.fromkeys(losses, last)


def is_forward(panel: Panel, edge: Edge, column: Mapping[str, int]) -> bool:
    """Whether a line is a write to a state further right, which runs as data does; a view has no room for it."""
    is_right = edge.kind == "write" and column[edge.source] < column[edge.target]
    return is_right and panel.box(edge.source).kind != "view"
