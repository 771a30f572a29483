"""Less ink: a picture without the pills of its augmentations and without counts of parameters."""

from __future__ import annotations

from dataclasses import replace

from ..elements.picture import Box, Edge, Panel, Picture
from ..elements.words import count


def compact(picture: Picture) -> Picture:
    """The picture with lines from the image straight to its views, and no numbers of parameters."""
    return picture.with_panels(tuple(_panel(panel) for panel in picture.panels))


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


def _panel(panel: Panel) -> Panel:
    image = {box.id for box in panel.boxes if box.kind == "image"}
    before = {edge.target: edge.source for edge in panel.edges if edge.source in image}
    pills = {box.id for box in panel.boxes if box.kind == "augmentation" and box.id in before}
    edges: list[Edge] = []
    for edge in panel.edges:
        if edge.source in pills:
            edge = replace(edge, source=before[edge.source])
        if edge.target not in pills and edge not in edges:
            edges.append(edge)
    boxes = tuple(_box(box) for box in panel.boxes if box.id not in pills)
    return replace(panel, boxes=boxes, edges=tuple(edges))


def _box(box: Box) -> Box:
    return replace(box, sub=box.sub.removesuffix(f" · {count(box.parameters)}")) if box.parameters else box
