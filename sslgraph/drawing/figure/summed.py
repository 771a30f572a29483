"""Losses that compare the same things, as one box: their lines would run beside each other all the way."""

from __future__ import annotations

from dataclasses import replace

from ..elements.picture import Box, Edge, Panel, Picture

FEWEST = 2  # lines that enter them: one line that forks needs no gathering


def gathered(picture: Picture) -> Picture:
    """The picture with losses that read the same boxes in one box, a line of words for each of them."""
    return picture.with_panels(tuple(map(_gathered, picture.panels)))


def _gathered(panel: Panel) -> Panel:
    groups: dict[object, list[Box]] = {}
    for box in panel.boxes:
        if box.kind == "loss" and not box.is_crossed and not box.is_draft:
            reads = [edge for edge in panel.edges if edge.target == box.id]
            alike = frozenset(map(_form, reads))
            if len({edge.source for edge in reads}) >= FEWEST:
                groups.setdefault((alike, box.trains, box.note), []).append(box)
    for losses in groups.values():
        if len(losses) > 1:
            panel = _one(panel, losses)
    return panel


def _one(panel: Panel, losses: list[Box]) -> Panel:
    first, ids = losses[0], {box.id for box in losses}
    box = replace(
        first,
        title=f"sum of {len(losses)} losses",
        sub="\n".join(" · ".join([loss.title, *filter(None, loss.sub.split("\n"))]) for loss in losses),
        values=tuple(value for loss in losses for value in loss.values),
        lines=tuple(dict.fromkeys(line for loss in losses for line in loss.lines)),
        members=tuple(loss.part for loss in losses),
    )
    boxes = tuple(box if b is first else b for b in panel.boxes if b is first or b.id not in ids)
    edges: dict[object, Edge] = {}
    for number, edge in enumerate(panel.edges):
        key = _form(edge) if edge.target in ids else number
        if (old := edges.get(key)) is not None:
            losses_of = tuple(dict.fromkeys((*old.losses, *edge.losses)))
            shape = old.shape if old.shape == edge.shape else ""
            edges[key] = replace(old, losses=losses_of, shape=shape, reads=(*old.reads, *edge.reads))
        else:
            edges[key] = replace(edge, target=first.id) if edge.target in ids else edge
    return replace(panel, boxes=boxes, edges=tuple(edges.values()))


def _form(edge: Edge) -> tuple[object, ...]:
    """Where a line to a loss comes from, and all that is seen of it but its words."""
    return edge.source, edge.kind, edge.gradient, edge.stop, edge.port
