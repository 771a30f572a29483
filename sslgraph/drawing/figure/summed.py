"""What would stand twice with lines beside each other, as one box: losses of the same things, calls of one net."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

from sslgraph.wire.walks import reached

from ..elements.picture import NETS, Box, Edge, Panel, Picture

FEWEST = 2  # lines that enter losses: one line that forks needs no gathering


def gathered(picture: Picture) -> Picture:
    """The picture with losses that read the same boxes as one box, and all that `once` joins."""
    return once(picture.with_panels(tuple(map(_gathered, picture.panels))))


def once(picture: Picture) -> Picture:
    """The picture with one box for calls of a net that lie on one way; where each call is wanted they stay."""
    return picture if picture.level == "every-call" else picture.with_panels(tuple(map(_once, picture.panels)))


def _gathered(panel: Panel) -> Panel:
    groups: dict[object, list[Box]] = {}
    for box in panel.boxes:
        if box.kind == "loss" and not box.is_crossed and not box.is_draft:
            reads = [edge for edge in panel.edges if edge.target == box.id]
            alike = frozenset((e.source, e.kind, e.gradient, e.stop, e.port) for e in reads)
            if len({edge.source for edge in reads}) >= FEWEST:
                groups.setdefault((alike, box.trains, box.note), []).append(box)
    for losses in groups.values():
        if len(losses) > 1:
            words = [" · ".join([loss.title, *filter(None, loss.sub.split("\n"))]) for loss in losses]
            members = tuple(loss.part for loss in losses)
            title = f"sum of {len(losses)} losses"
            panel = _one(panel, losses, title=title, sub="\n".join(words), members=members)
    return panel


def _once(panel: Panel) -> Panel:
    """The panel with calls of one net as one box where they are read together, or read what one box makes."""
    while (pair := next((p for p in combinations(panel.boxes, 2) if _is_one_way(panel, p)), None)) is not None:
        one, other = sorted(pair, key=lambda box: -sum(b.lane == box.lane for b in panel.boxes))
        shows, share = (one.shows, one.share) if one.shows == other.shows else ("", "")
        panel = _one(panel, [one, other], shows=shows, share=share)
    return panel


def _is_one_way(panel: Panel, pair: tuple[Box, Box]) -> bool:
    one, other = pair
    is_net = one.kind in NETS and (one.part, one.kind, one.weights) == (other.part, other.kind, other.weights)
    if not is_net or bool(one.trained_by) != bool(other.trained_by) or one.sub != other.sub:
        return False
    data = [edge for edge in panel.edges if edge.kind == "data"]
    losses = {box.id for box in panel.boxes if box.kind == "loss"}
    mine, theirs = (
        {(e.target, port) for e in data if e.source == box.id and e.target not in losses for _, _, port in e.reads}
        for box in pair
    )
    makers = {edge.source for edge in data if edge.target in {one.id, other.id}}
    is_fork = len(makers) == 1 and panel.box(*makers).kind in NETS
    ahead = reached(
        [edge.target for edge in data if edge.source in {one.id, other.id}],
        lambda here: (edge.target for edge in data if edge.source == here),
    )
    return (bool(mine & theirs) or is_fork) and ahead.isdisjoint({one.id, other.id})


def _one(panel: Panel, boxes: list[Box], **words: object) -> Panel:
    """The panel with some boxes as the first of them, under other words; what runs beside a like line is that line."""
    first, ids = boxes[0], {box.id for box in boxes}
    box = replace(
        first,
        values=tuple(value for box in boxes for value in box.values),
        trained_by=tuple(dict.fromkeys(loss for box in boxes for loss in box.trained_by)),
        lines=tuple(dict.fromkeys(line for box in boxes for line in box.lines)),
        **words,  # type: ignore[arg-type]
    )
    edges: dict[object, Edge] = {}
    for number, edge in enumerate(panel.edges):
        source, target = (first.id if end in ids else end for end in (edge.source, edge.target))
        edge = replace(edge, source=source, target=target)
        key = (*edge.stroke[:5], edge.port, edge.label) if first.id in (source, target) else number
        if (old := edges.get(key)) is not None:
            losses = tuple(dict.fromkeys((*old.losses, *edge.losses)))
            name = ", ".join(dict.fromkeys(filter(None, (*old.name.split(", "), edge.name))))
            shape = old.shape if old.shape == edge.shape else ""
            edges[key] = replace(old, name=name, losses=losses, shape=shape, reads=(*old.reads, *edge.reads))
        elif source != target:
            edges[key] = edge
    kept = (box if b is first else b for b in panel.boxes if b is first or b.id not in ids)
    return panel.with_boxes(kept, edges.values())
