"""What a picture of a method says, before anything has a place on paper: boxes, lines, lanes, frames, panels.

Everything is text and numbers, frozen and ordered, so that two processes that draw one method hold equal pictures.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

Level = Literal["paper", "every-call"]
Kind = Literal["image", "augmentation", "view", "encoder", "head", "decoder", "op", "memory", "loss", "fold", "link"]
NETS = ("encoder", "head", "decoder")
Weights = Literal["trained", "ema", "frozen", "none"]  # who changes them: a gradient, a net it follows, nobody; or none
Relation = Literal["data", "ema", "write", "same"]
Gradient = Literal["gradient", "none", "input"]


@dataclass(frozen=True)
class Line:
    """A line of a spec: the name of its file, without folders, and the line's number from 1."""

    file: str
    number: int


@dataclass(frozen=True)
class Box:
    """A thing in the picture: a word for its role, the spec's own letter, what it is exactly."""

    id: str
    kind: Kind
    title: str = ""
    symbol: str = ""
    sub: str = ""
    weights: Weights = "none"
    copies: int = 1  # draws of a view; more than one is a stack
    lane: str = ""  # the branch it lies on; "" for what lies on none
    note: str = ""  # under the box: "+ the same with views swapped"
    part: str = ""  # name of the part (net, target, op, state, loss) or of the view
    use: str = ""  # its class by registry name, or the augmentation of a view
    about: str = ""  # first line of the class's docstring
    source: str = ""  # where its mathematics comes from
    settings: tuple[tuple[str, str], ...] = ()  # complete, as a spec would write them
    parameters: int = 0
    values: tuple[str, ...] = ()  # values of the graph that it makes
    shapes: tuple[str, ...] = ()  # of what it makes: "B×2048"
    trained_by: tuple[str, ...] = ()  # losses whose gradient moves its weights through this call
    trains: tuple[str, ...] = ()  # of a loss that trains some nets only, those nets
    lines: tuple[Line, ...] = ()  # of the spec: its declaration, then the calls that are drawn here
    shows: str = ""  # of an op on images, and of an encoder that a mask leads: what is seen of it
    share: str = ""  # of what such an encoder does not see
    crop_of: str = ""  # of a view, the view whose crop it shows again
    crops: int = 0  # of the image: views whose crops are seen on it, because it matters where they overlap
    members: tuple[str, ...] = ()  # of a folded branch, the ids of the boxes inside
    formula: str = ""  # of a loss, as its docstring has it
    is_crossed: bool = False  # of a loss on several views: a view is compared with the others, never with itself
    is_draft: bool = False  # of a sketch: the part is not written yet


@dataclass(frozen=True)
class Edge:
    """A line from one box to another. `gradient` of a data line says whether a backward pass runs along it."""

    source: str
    target: str
    kind: Relation = "data"
    gradient: Gradient = "none"
    name: str = ""  # of the tensor, in the spec's letters
    shape: str = ""  # "B×2048"
    port: str = ""  # said where the reader's port or the maker's output needs telling
    label: str = ""  # of relations: "EMA 0.996 → 1", "push"; of a copy its first word is EMA or snapshot
    stop: bool = False  # a stop-gradient stands on it
    losses: tuple[str, ...] = ()  # losses whose gradient runs along it
    reads: tuple[tuple[str, str, str], ...] = ()  # (value read, value that reads it, port): what it stands for

    @property
    def stroke(self) -> tuple[object, ...]:
        """All that is seen of it but its words."""
        return self.source, self.target, self.kind, self.gradient, self.stop, self.losses


@dataclass(frozen=True)
class Frame:
    """A soft ground behind the boxes of one branch, with its name."""

    title: str
    lane: str
    boxes: tuple[str, ...]


@dataclass(frozen=True)
class Panel:
    """One leg of a method: its training step, or a pass over the data set. `lanes` are in order of reading."""

    name: str
    title: str
    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]
    lanes: tuple[str, ...]
    frames: tuple[Frame, ...] = ()
    is_ordered: bool = False  # whether the author asked for this order of branches

    def box(self, id_: str) -> Box:
        """A box by its id."""
        return next(box for box in self.boxes if box.id == id_)

    def with_boxes(self, boxes: Iterable[Box], edges: Iterable[Edge]) -> Panel:
        """The panel with other boxes and edges, and of its lanes and frames those that still have a box."""
        boxes = tuple(boxes)
        ids, lanes = {box.id for box in boxes}, {box.lane for box in boxes}
        frames = (replace(frame, boxes=tuple(name for name in frame.boxes if name in ids)) for frame in self.frames)
        return replace(
            self,
            boxes=boxes,
            edges=tuple(edges),
            lanes=tuple(lane for lane in self.lanes if lane in lanes),
            frames=tuple(frame for frame in frames if frame.boxes),
        )

    def trains(self, loss: str) -> tuple[str, ...]:
        """The nets that a loss is said to train; empty where nothing is said."""
        return next((box.trains for box in self.boxes if box.kind == "loss" and box.part == loss), ())


@dataclass(frozen=True)
class Picture:
    """A method's picture at one level of detail: one panel for each leg, in the order in which they run."""

    title: str
    level: Level
    panels: tuple[Panel, ...]
    caption: str = ""
    focus: tuple[str, ...] = ()  # parts that stand out
    with_equation: bool = False  # whether the formulas of its losses stand below it
    symmetry: str = ""  # the two views whose exchange maps the method onto itself: "x1, x2"

    def box(self, id_: str) -> Box:
        """A box of any panel by its id."""
        return next(box for panel in self.panels for box in panel.boxes if box.id == id_)

    def with_panels(self, panels: tuple[Panel, ...]) -> Picture:
        """The picture with other panels."""
        return replace(self, panels=panels)


def players(panel: Panel) -> list[tuple[str, ...]]:
    """The losses of a panel in groups that train the same nets; more than one group where the spec says `trains:`."""
    groups: dict[tuple[str, ...], tuple[str, ...]] = {}
    for box in panel.boxes:
        if box.kind == "loss":
            groups[box.trains] = (*groups.get(box.trains, ()), box.part)
    return list(groups.values())


def as_dict(picture: Picture) -> dict[str, Any]:
    """The picture as plain lists and mappings."""
    return asdict(picture)


def as_json(picture: Picture) -> str:
    """The picture as JSON text, the same bytes on every machine."""
    return json.dumps(as_dict(picture), ensure_ascii=False, indent=1) + "\n"
