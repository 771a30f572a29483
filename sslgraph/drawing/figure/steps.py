"""A picture in steps, one idea each: the views, each branch, what is kept, each loss."""

from __future__ import annotations

from dataclasses import dataclass

from ..elements.picture import NETS, Box, Panel, Picture

SEEN_FIRST = ("image", "augmentation", "view")
ONE_BY_ONE = 3  # up to so many losses come one after the other


@dataclass(frozen=True)
class Step:
    """What a step adds, in words, and the boxes that are seen from then on."""

    words: str
    seen: frozenset[str]


def steps(picture: Picture) -> list[Step]:
    """The steps of a picture; what is seen stays seen."""
    found: list[Step] = []
    seen: frozenset[str] = frozenset()
    for panel in picture.panels:
        for words, boxes in _ideas(panel):
            if new := {box.id for box in boxes} - seen:
                seen |= new
                found.append(Step(": ".join(filter(None, (panel.title, words))), seen))
    return found


def _ideas(panel: Panel) -> list[tuple[str, list[Box]]]:
    first = [box for box in panel.boxes if box.kind in SEEN_FIRST]
    lanes = [[box for box in panel.boxes if box.lane == lane and box.kind not in SEEN_FIRST] for lane in panel.lanes]
    lanes = sorted((lane for lane in lanes if lane), key=lambda lane: any(box.weights == "ema" for box in lane))
    kept = [box for box in panel.boxes if box.kind == "memory"]
    losses = [box for box in panel.boxes if box.kind == "loss"]
    few = len(losses) <= ONE_BY_ONE
    ends = [(box.title, [box]) for box in losses] if few else [("the losses", losses)]
    branches = [(_name(panel, lane), [box for box in lane if box.kind != "loss"]) for lane in lanes]
    return [("views", first), *branches, (", ".join(box.title for box in kept), kept), *ends, ("", list(panel.boxes))]


def _name(panel: Panel, lane: list[Box]) -> str:
    frame = next((frame.title for frame in panel.frames if {box.id for box in lane} & set(frame.boxes)), "")
    nets = [box.symbol or box.title for box in lane if box.kind in (*NETS, "fold")]
    return " ".join(filter(None, (frame, ", ".join(nets)))) or "branch"
