"""A picture in sentences, for whoever can't see it."""

from __future__ import annotations

from ..elements.picture import Edge, Picture

HOW = {"gradient": "gradient flows back", "none": "no gradient", "input": "input data"}


def described(picture: Picture) -> str:
    """What each net, memory and loss reads, and which net follows which."""
    sentences = []
    for panel in picture.panels:
        name = {box.id: " ".join(dict.fromkeys(filter(None, (box.title, box.symbol)))) or box.id for box in panel.boxes}
        for box in panel.boxes:
            reads = [edge for edge in panel.edges if edge.target == box.id and edge.kind != "same"]
            if reads and box.kind not in ("view", "augmentation"):
                sentences.append(f"{name[box.id]}: {', '.join(_line(edge, name[edge.source]) for edge in reads)}.")
    return " ".join(sentences)


def _line(edge: Edge, source: str) -> str:
    if edge.kind != "data":
        return f"{edge.label} of {source}" if edge.kind == "ema" else f"{edge.label} from {source}"
    return f"reads {source} ({'stop-gradient' if edge.stop else HOW[edge.gradient]})"
