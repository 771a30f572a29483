"""Two views that run through one net together, drawn as two branches that share its weights, as papers draw them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sslgraph.errors import SslgraphError
from sslgraph.wire.walks import reached

from ..elements.picture import NETS, Box, Edge, Panel, Picture

TWO = 2


def branches(picture: Picture) -> Picture:
    """The picture with a branch for each of two views; SslgraphError if no two views are one stack.

    Small crops that join the two views are left to a note. A loss that sets each view against the other is drawn for
    each branch, so that the swap is seen.
    """
    stacks = [_stack(panel) for panel in picture.panels]
    if not any(stacks):
        raise SslgraphError(f"--level branches: {picture.title} has no two views in one stack; its branches are drawn")
    panels = [_split(panel, stack) if stack else panel for panel, stack in zip(picture.panels, stacks, strict=True)]
    return picture.with_panels(tuple(panels))


def _stack(panel: Panel) -> Box | None:
    return next((box for box in panel.boxes if box.kind == "view" and box.copies == TWO), None)


def _split(panel: Panel, stack: Box) -> Panel:
    panel = _without_small(panel, stack)
    mine = {*_behind(panel, stack.id), *(e.source for e in panel.edges if e.target == stack.id)}
    mine -= {box.id for box in panel.boxes if box.kind in ("image", "memory", "loss")}
    crossed = {box.id for box in panel.boxes if box.is_crossed and _inputs(panel, box.id) <= mine}
    boxes: list[Box] = []
    for box in panel.boxes:
        boxes += [_copy(box, side) for side in (1, TWO)] if box.id in mine | crossed else [box]
    edges = [edge for old in panel.edges for edge in _edges(old, mine, crossed)]
    edges += [
        Edge(_at(box.id, 1), _at(box.id, TWO), "same", label="same weights")
        for box in panel.boxes
        if box.id in mine and box.kind in NETS
    ]
    lanes = dict.fromkeys(box.lane for side in (1, TWO) for box in boxes if box.lane and box.id.endswith(_at("", side)))
    rest = tuple(lane for lane in panel.lanes if lane in {box.lane for box in boxes})
    frames = tuple(
        replace(frame, lane=_at(frame.lane, side), boxes=tuple(_at(name, side) for name in frame.boxes))
        for frame in panel.frames
        for side in (1, TWO)
        if set(frame.boxes) <= mine
    )
    return replace(panel, boxes=tuple(boxes), edges=tuple(edges), lanes=(*lanes, *rest), frames=frames)


def _behind(panel: Panel, start: str) -> set[str]:
    """A box and what it leads to, up to losses and states."""
    ends = {box.id for box in panel.boxes if box.kind in ("loss", "memory")}
    data = [edge for edge in panel.edges if edge.kind == "data" and edge.target not in ends]
    return reached([start], lambda here: (edge.target for edge in data if edge.source == here))


def _inputs(panel: Panel, name: str) -> set[str]:
    return {edge.source for edge in panel.edges if edge.kind == "data" and edge.target == name}


def _without_small(panel: Panel, stack: Box) -> Panel:
    """The panel without the views that only join the two in their nets; the first such net has a note of them."""
    mine = _behind(panel, stack.id)
    small = [
        box
        for box in panel.boxes
        if box.kind == "view" and box is not stack and {e.target for e in panel.edges if e.source == box.id} <= mine
    ]
    gone = {box.id for box in small} | {e.source for e in panel.edges if e.target in {box.id for box in small}}
    gone -= {box.id for box in panel.boxes if box.kind == "image"}
    readers = {edge.target for edge in panel.edges if edge.source in gone and edge.kind == "data"}
    note = f"also {sum(box.copies for box in small)} small crops"
    boxes = tuple(
        replace(box, note="\n".join(filter(None, (box.note, note)))) if small and box.id in readers else box
        for box in panel.boxes
        if box.id not in gone
    )
    edges = tuple(edge for edge in panel.edges if not {edge.source, edge.target} & gone)
    return replace(panel, boxes=boxes, edges=edges)


def _edges(edge: Edge, mine: set[str], crossed: set[str]) -> Iterator[Edge]:
    if edge.kind in ("ema", "same"):
        source = _at(edge.source, TWO) if edge.source in mine else edge.source
        yield replace(edge, source=source, target=_at(edge.target, 1) if edge.target in mine else edge.target)
        return
    if not {edge.source, edge.target} & (mine | crossed):
        yield edge
        return
    for side in (1, TWO):
        is_swapped = edge.target in crossed and edge.source in mine and edge.gradient != "gradient"
        source = _at(edge.source, side) if edge.source in mine else edge.source
        end = TWO + 1 - side if is_swapped else side
        target = _at(edge.target, end) if edge.target in mine | crossed else edge.target
        name = f"{edge.name}{side}" if edge.name and edge.source in mine else edge.name
        yield replace(edge, source=source, target=target, name=name, shape=_half(edge.shape))


def _copy(box: Box, side: int) -> Box:
    names, lane = box.symbol.split(", "), _at(box.lane, side) if box.lane else ""
    shapes = tuple(map(_half, box.shapes))
    copy = replace(box, id=_at(box.id, side), lane=lane, copies=1, shapes=shapes, is_crossed=False)
    if box.kind == "view":
        return replace(copy, symbol=names[side - 1] if len(names) == TWO else f"{box.symbol}{side}")
    if box.kind == "augmentation":
        return replace(copy, title=box.title.replace("t ~", "t ~" if side == 1 else "t′ ~"))
    return replace(copy, note="") if box.kind == "loss" and side == TWO else copy


def _half(shape: str) -> str:
    return shape.replace("2B×", "B×")


def _at(name: str, side: int) -> str:
    return f"{name}/{side}"
