"""What an author says of a picture: names, branches, what is left out, the order of branches, what stands out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sslgraph.errors import SslgraphError, unknown
from sslgraph.read.spec import Drawing

from ..elements.picture import Box, Edge, Panel, Picture


def as_said(picture: Picture, said: Drawing) -> Picture:
    """The picture as the method's `picture:` asks for it."""
    panels = tuple(
        _ordered(_hidden(_branches(panel, said.branches), said.hide), said.order) for panel in picture.panels
    )
    picture = replace(picture.with_panels(panels), caption=said.caption, focus=_bare(said.focus))
    picture = replace(picture, with_equation=said.equation)
    return _named(picture, said.names)


def relabelled(picture: Picture, names: Mapping[str, str]) -> Picture:
    """The picture with these names of parts and views; SslgraphError if there is no such part."""
    _there(picture, names)
    return _named(picture, names)


def with_equation(picture: Picture) -> Picture:
    """The picture with the formulas of its losses below it; SslgraphError if no loss tells its own."""
    losses = [box for panel in picture.panels for box in panel.boxes if box.kind == "loss"]
    if not any(box.formula for box in losses):
        names = ", ".join(box.use for box in losses) or "no loss"
        raise SslgraphError(f"--equation: no docstring has a formula here ({names}); write one, set in by four letters")
    return replace(picture, with_equation=True)


def focused(picture: Picture, names: Iterable[str]) -> Picture:
    """The picture with all but these parts and what they are joined to paler; SslgraphError if there is none."""
    found = _bare(names)
    _there(picture, found)
    return replace(picture, focus=found)


def strong(panel: Panel, focus: Iterable[str]) -> set[str]:
    """The boxes in focus, and those that a line joins to one of them."""
    mine = {box.id for box in panel.boxes if {box.part, *box.members} & set(focus)}
    near = {end for edge in panel.edges if {edge.source, edge.target} & mine for end in (edge.source, edge.target)}
    return mine | near


def _bare(names: Iterable[str]) -> tuple[str, ...]:
    """Names without their section: losses.info is info."""
    return tuple(name.rpartition(".")[2] for name in names)


def _there(picture: Picture, names: Iterable[str]) -> None:
    known = {box.part for panel in picture.panels for box in panel.boxes if box.part}
    for name in names:
        if name not in known:
            raise SslgraphError(str(unknown((), "the picture has no part", name, known)))


def _named(picture: Picture, names: Mapping[str, str]) -> Picture:
    def named(box: Box) -> Box:
        if box.kind == "view" or box.part not in names:
            return box
        word = "sub" if box.kind == "augmentation" else "title"
        return replace(box, **{word: names[box.part]})  # type: ignore[arg-type]

    return picture.with_panels(tuple(replace(panel, boxes=tuple(map(named, panel.boxes))) for panel in picture.panels))


def _branches(panel: Panel, branches: Mapping[str, str]) -> Panel:
    """Frames under the names of the branches on which these nets stand."""
    part, said = {box.id: box.part for box in panel.boxes}, dict[str, str]()
    for frame in panel.frames:
        for name in frame.boxes:
            if part[name] in branches:
                said.setdefault(frame.title, branches[part[name]])
    return replace(panel, frames=tuple(replace(f, title=said.get(f.title, f.title)) for f in panel.frames))


def _hidden(panel: Panel, hide: Iterable[str]) -> Panel:
    """The panel without these ops; a line runs on from what an op reads to what reads it."""
    for box in [box for box in panel.boxes if box.kind == "op" and box.part in set(hide)]:
        before = [edge for edge in panel.edges if edge.kind == "data" and edge.target == box.id]
        if len(before) != 1:
            continue
        edges: list[Edge] = []
        for edge in panel.edges:
            if edge.source == box.id:
                edge = replace(edge, source=before[0].source, stop=edge.stop or before[0].stop)
            if edge.target != box.id:
                edges.append(edge)
        panel = replace(panel, boxes=tuple(b for b in panel.boxes if b != box), edges=tuple(edges))
    return panel


def _ordered(panel: Panel, order: Iterable[str]) -> Panel:
    """The panel with the branches of these nets or views first, in this order."""
    lanes = [next((box.lane for box in panel.boxes if box.part == name and box.lane), "") for name in _bare(order)]
    first = [lane for lane in dict.fromkeys(lanes) if lane in panel.lanes]
    rest = [lane for lane in panel.lanes if lane not in first]
    return replace(panel, lanes=(*first, *rest), is_ordered=bool(first))
