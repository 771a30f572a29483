"""Less ink: a branch of the picture as one box, no pills of augmentations, no counts of parameters."""

from __future__ import annotations

from dataclasses import replace

from sslgraph.wire.walks import reached

from ..elements.picture import NETS, Box, Edge, Panel, Picture, Weights
from ..elements.words import count

FOLDED = (*NETS, "op")


def foldable(picture: Picture) -> tuple[str, ...]:
    """The lanes that can be folded: those with two boxes or more that nothing outside lies between."""
    return tuple(lane for panel in picture.panels for lane in panel.lanes if _members(panel, lane))


def fold(picture: Picture, *lanes: str) -> Picture:
    """The picture with these lanes each as one box; a lane that can't be folded stays as it is."""
    for lane in lanes:
        picture = picture.with_panels(tuple(_folded(panel, lane) for panel in picture.panels))
    return picture


def _members(panel: Panel, lane: str) -> tuple[Box, ...]:
    members = tuple(box for box in panel.boxes if box.lane == lane and box.kind in FOLDED)
    return members if len(members) > 1 and not _has_detour(panel, {box.id for box in members}) else ()


def _has_detour(panel: Panel, members: set[str]) -> bool:
    """Whether a way leads out of the lane and back into it, so that one box would come before and after another."""
    data = [(edge.source, edge.target) for edge in panel.edges if edge.kind == "data"]
    leaving = [target for source, target in data if source in members and target not in members]
    behind = reached(leaving, lambda here: (target for source, target in data if source == here))
    return not behind.isdisjoint(members)


def _folded(panel: Panel, lane: str) -> Panel:
    members = _members(panel, lane)
    if not members:
        return panel
    box = _one_box(panel, lane, members)
    ids = {member.id for member in members}
    boxes = tuple(box if b is members[0] else b for b in panel.boxes if b is members[0] or b.id not in ids)
    edges: list[Edge] = []
    for edge in panel.edges:
        source, target = (box.id if end in ids else end for end in (edge.source, edge.target))
        moved = replace(edge, source=source, target=target)
        twin = next((old for old in edges if _line(old) == _line(moved)), None)
        if twin is not None:
            edges[edges.index(twin)] = replace(twin, reads=(*twin.reads, *moved.reads))
        elif moved.source != moved.target:
            edges.append(moved)
    frames = tuple(frame for frame in panel.frames if frame.lane != lane)
    return replace(panel, boxes=boxes, edges=tuple(edges), frames=frames)


def _line(edge: Edge) -> tuple[object, ...]:
    """What two lines have in common that may be one."""
    return edge.stroke[:3] if edge.kind in ("ema", "same") else (*edge.stroke, edge.port, edge.label)


def _one_box(panel: Panel, lane: str, members: tuple[Box, ...]) -> Box:
    title = next((frame.title for frame in panel.frames if frame.lane == lane), "branch")
    kinds: tuple[Weights, ...] = tuple(box.weights for box in members if box.weights != "none")
    weights: Weights = next((w for w in ("trained", "ema", "frozen") if w in kinds), "none")
    return Box(
        f"{members[0].id}.folded",
        "fold",
        title=title,
        weights=weights,
        lane=lane,
        sub=" → ".join(box.symbol or box.title for box in members),
        note="\n".join(dict.fromkeys(box.note for box in members if box.note)),
        parameters=sum({box.part: box.parameters for box in members}.values()),
        values=tuple(value for box in members for value in box.values),
        shapes=members[-1].shapes,
        trained_by=tuple(dict.fromkeys(loss for box in members for loss in box.trained_by)),
        lines=tuple(dict.fromkeys(line for box in members for line in box.lines)),
        members=tuple(box.id for box in members),
    )


def compact(picture: Picture) -> Picture:
    """The picture with lines from the image straight to its views, and no numbers of parameters."""
    return picture.with_panels(tuple(_without_pills(panel) for panel in picture.panels))


def bare(picture: Picture) -> Picture:
    """A compact picture that begins with the views: the image is left out, and what of it an encoder sees."""
    picture = compact(picture)
    images = {box.id for panel in picture.panels for box in panel.boxes if box.kind == "image"}

    def without(panel: Panel) -> Panel:
        boxes = tuple(_unseen(box) for box in panel.boxes if box.id not in images)
        return replace(panel, boxes=boxes, edges=tuple(edge for edge in panel.edges if edge.source not in images))

    return picture.with_panels(tuple(map(without, picture.panels)))


def _unseen(box: Box) -> Box:
    return replace(box, shows="") if box.kind == "encoder" else box


def _without_pills(panel: Panel) -> Panel:
    image = {box.id for box in panel.boxes if box.kind == "image"}
    before = {edge.target: edge.source for edge in panel.edges if edge.source in image}
    pills = {box.id for box in panel.boxes if box.kind == "augmentation" and box.id in before}
    edges: list[Edge] = []
    for edge in panel.edges:
        if edge.source in pills:
            edge = replace(edge, source=before[edge.source])
        if edge.target not in pills and edge not in edges:
            edges.append(edge)
    boxes = tuple(_uncounted(box) for box in panel.boxes if box.id not in pills)
    return replace(panel, boxes=boxes, edges=tuple(edges))


def _uncounted(box: Box) -> Box:
    return replace(box, sub=box.sub.removesuffix(f" · {count(box.parameters)}")) if box.parameters else box


def joined(picture: Picture) -> Picture:
    """The picture with ops without weights in one box where nothing else reads, stops or names what is between."""
    return picture.with_panels(tuple(map(_shortened, picture.panels)))


def _shortened(panel: Panel) -> Panel:
    while (edge := next((edge for edge in panel.edges if _is_inner(panel, edge)), None)) is not None:
        panel = _both(panel, panel.box(edge.source), panel.box(edge.target))
    return panel


def _is_inner(panel: Panel, edge: Edge) -> bool:
    one, other = panel.box(edge.source), panel.box(edge.target)
    if edge.kind != "data" or edge.stop or edge.name or edge.port or not (_is_plain(one) and _is_plain(other)):
        return False
    leaving = sum(one.id in (e.source, e.target) and e.target != one.id for e in panel.edges)
    arriving = sum(e.target == other.id for e in panel.edges)
    return one.lane == other.lane and leaving == arriving == 1


def _is_plain(box: Box) -> bool:
    return box.kind == "op" and not (box.sub or box.note or box.shows or box.is_draft)


def _both(panel: Panel, one: Box, other: Box) -> Panel:
    both = replace(
        other,
        title=f"{one.title}, {other.title}",
        values=(*one.values, *other.values),
        lines=tuple(dict.fromkeys((*one.lines, *other.lines))),
        members=tuple(name for box in (one, other) for name in box.members or (box.id,)),
    )
    boxes = tuple(both if box.id == other.id else box for box in panel.boxes if box.id != one.id)
    edges = (edge for edge in panel.edges if edge.source != one.id)
    edges = (replace(edge, target=other.id) if edge.target == one.id else edge for edge in edges)
    frames = tuple(replace(f, boxes=tuple(name for name in f.boxes if name != one.id)) for f in panel.frames)
    return replace(panel, boxes=boxes, edges=tuple(edges), frames=frames)
