"""From the sized graph to its picture: which boxes there are and which lines run between them."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from sslgraph.read.spec import Average, Phase
from sslgraph.wire.graph import Leg, Value

from ..elements.picture import NETS, Box, Edge, Level, Panel, Picture
from ..elements.words import scheduled
from .calls import Calls, calls_of
from .describe import Describer
from .lanes import frames, with_lanes
from .said import as_said
from .sizes import batch_of, shapes_of
from .strokes import line_of
from .symmetry import Symmetry, symmetry

if TYPE_CHECKING:
    from sslgraph.settle.sized import SizedGraph, SizedLeg

IMAGE = "image"


def picture(sized: SizedGraph, *, level: Level = "paper") -> Picture:
    """The picture of a settled method.

    `paper`: one box for each part on each branch; of two halves that are each other's mirror image one; views that are
    always read together as one stack. `every-call`: one box for each call.
    """
    graph = sized.graph
    found = symmetry(graph, graph.training) if level == "paper" else None
    panels = tuple(
        _Panel(sized, leg, level, found if leg.leg is graph.training else None).panel() for leg in sized.legs
    )
    whole = Picture(graph.method.method, level, panels, symmetry=", ".join(found.views) if found else "")
    return as_said(whole, graph.method.picture)


class _Panel:
    """The boxes and lines of one leg, with what follows a pass over the data set."""

    def __init__(self, sized: SizedGraph, leg: SizedLeg, level: Level, mirror: Symmetry | None) -> None:
        self.sized, self.graph, self.leg, self.level, self.mirror = sized, sized.graph, leg, level, mirror
        self.prefix = f"{leg.leg.name}:" if len(sized.legs) > 1 else ""
        # The box that all views come from, under a name that no loss has.
        self.image = f"{IMAGE}_" if {IMAGE} & {*self.graph.boxes, *leg.leg.values} else IMAGE
        self.describe = Describer(sized, level, self.prefix, batch_of(sized), mirror)
        self.boxes: dict[str, Box] = {}
        self.edges: list[Edge] = []
        self.stacks: dict[str, str] = {}  # view -> the view whose stack it is drawn in
        self.resets: list[str] = []

    def panel(self) -> Panel:
        """The whole panel."""
        for sized_leg in filter(None, (self.leg, self.leg.then)):
            self._leg(sized_leg)
        self._same_weights()
        self._followers()
        image = self.boxes.get(self._id(self.image))
        placed = {edge.source for edge in self.edges if "box" in edge.port.split(", ")}
        if image is not None and (count := sum(box.kind == "view" and box.id in placed for box in self.boxes.values())):
            self.boxes[image.id] = replace(image, crops=count)  # where their crops lie is an input
        boxes, lanes = with_lanes(list(self.boxes.values()), self.edges)
        title = _title(self.leg.leg, self.resets)
        return Panel(self.leg.leg.name, title, tuple(boxes), tuple(self.edges), lanes, tuple(frames(boxes, lanes)))

    def _leg(self, sized_leg: SizedLeg) -> None:
        calls = calls_of(self.graph, sized_leg.leg, without=self.mirror.mirrors if self.mirror else ())
        drawn = _drawn(calls)
        if self.level == "paper":
            self.stacks = _stacks(calls, sized_leg, drawn)
        self._views(calls, sized_leg, drawn)
        for name, value in calls.calls.items():
            if name in drawn and value.kind in ("call", "loss"):
                self._add(self.describe.call(calls, sized_leg, value))
        for read in calls.reads:
            if read.reader in drawn:
                maker, reader = calls.calls[read.maker], calls.calls[read.reader]
                shape = self._shape(sized_leg, maker, calls.single(read))
                self._line(line_of(calls, read, self._source(maker), self._target(reader), shape))
        if sized_leg.leg.collect:
            self._collect(calls, sized_leg)
        self._writes(calls, sized_leg)

    def _views(self, calls: Calls, leg: SizedLeg, drawn: set[str]) -> None:
        views = list(dict.fromkeys(str(v.view) for n, v in calls.calls.items() if v.kind == "view" and n in drawn))
        firsts = [view for view in views if self.stacks.get(view, view) == view]
        stacks = [[view for view in views if self.stacks.get(view, view) == first] for first in firsts]
        if stacks:
            self._add(Box(self._id(self.image), "image", title="image"))
        for augmentation, view in self.describe.views(leg, stacks):
            self._add(augmentation)
            self._add(view)
            self.edges.append(Edge(self._id(self.image), augmentation.id, gradient="input"))
            self.edges.append(Edge(augmentation.id, view.id, gradient="input"))

    def _add(self, box: Box) -> None:
        """Adds a box; a state is one box, whoever reads it and writes to it."""
        if (old := self.boxes.get(box.id)) is not None:
            lines = tuple(dict.fromkeys((*old.lines, *box.lines)))
            box = replace(old, values=(*old.values, *box.values), lines=lines)
        self.boxes[box.id] = box

    def _line(self, edge: Edge) -> None:
        """Adds a line; lines between two boxes that differ in nothing but their port are one."""
        for number, old in enumerate(self.edges):
            if old.stroke == edge.stroke:
                port = ", ".join(dict.fromkeys(filter(None, (*old.port.split(", "), edge.port))))
                shape = old.shape if old.shape == edge.shape else ""  # which of the ports would it be?
                name, reads = old.name or edge.name, (*old.reads, *edge.reads)
                self.edges[number] = replace(old, port=port, name=name, shape=shape, reads=reads)
                return
        self.edges.append(edge)

    def _collect(self, calls: Calls, leg: SizedLeg) -> None:
        """After a pass over the data set, its rows are one value."""
        collect = str(leg.leg.collect)
        # The name that the phase gives it; what is collected may be a port of that value.
        name = leg.leg.phase.collect if leg.leg.phase and leg.leg.phase.collect else collect
        maker = calls.calls[_maker(calls, collect)]
        output = str(leg.leg.values[collect].port or "")
        shape = self._shape(leg, maker, collect)
        every = self._id(f"all.{name}")
        self._add(Box(every, "op", title="all images", values=(collect,)))
        self.edges.append(Edge(self._source(maker), every, name="" if output else name, port=output, shape=shape))

    def _writes(self, calls: Calls, leg: SizedLeg) -> None:
        for write in leg.leg.writes:
            box = self.graph.boxes[write.box]
            if box.section == "state" and self._id(box.name) not in self.boxes:
                self._add(self.describe.call(calls, leg, Value(box.name, "call", box.name, path=box.path)))
            for port, source in write.inputs:
                makers = {r.maker: r for r in calls.reads if r.value == source and not r.reader}
                for maker, read in makers.items():  # several where a bag of calls is written
                    start, end = self._source(calls.calls[maker]), self._id(box.name)
                    what = read.output or (port if len(write.inputs) > 1 else "")  # of several things
                    label, reads = f"{write.method} {what.replace('_', ' ')}".strip(), ((source, "", port),)
                    self.edges.append(Edge(start, end, "write", label=label, name=read.name, reads=reads))
            if not write.inputs:
                self._note(box.name, write.method)

    def _note(self, part: str, method: str) -> None:
        """A write without inputs (a reset, a normalisation) stands at the box of its part, or at the whole panel."""
        found = next((box for box in self.boxes.values() if box.part == part), None)
        if found is None:
            self.resets.append(f"then {part}.{method}")
        else:
            self.boxes[found.id] = replace(found, note="\n".join(filter(None, (found.note, f"then {method}"))))

    def _same_weights(self) -> None:
        """A double line between the boxes of one net, each to the next."""
        calls: dict[str, list[Box]] = {}
        for box in self.boxes.values():
            if box.kind in NETS:
                calls.setdefault(box.part, []).append(box)
        for boxes in calls.values():
            self.edges += [Edge(one.id, other.id, "same", label="same weights") for one, other in pairwise(boxes)]

    def _followers(self) -> None:
        """A dotted line from each net to its slow copy, with its momentum."""
        for name, target in self.graph.method.targets.items():
            nets = [box for box in self.boxes.values() if box.part == target.follows]
            copies = [box for box in self.boxes.values() if box.part == name]
            if nets and copies and self.leg.leg.is_training:
                slow = f"EMA {scheduled(target.momentum)}" if isinstance(target, Average) else f"snapshot {target.when}"
                self.edges.append(Edge(nets[-1].id, copies[0].id, "ema", label=slow))

    def _shape(self, leg: SizedLeg, maker: Value, value: str) -> str:
        if maker.view is not None or self._is_memory(maker):
            return ""
        return next(iter(shapes_of(self.sized.graph, leg, value, self.describe.batch, self.describe.names)), "")

    def _source(self, maker: Value) -> str:
        if maker.view is not None:
            return self._id(self.stacks.get(maker.view, maker.view))
        return self._id(f"all.{maker.name}") if maker.kind == "given" else self._target(maker)

    def _target(self, reader: Value) -> str:
        return self._id(str(reader.box)) if self._is_memory(reader) else self._id(reader.name)

    def _is_memory(self, value: Value) -> bool:
        return value.box is not None and self.graph.boxes[value.box].section == "state"

    def _id(self, name: str) -> str:
        return f"{self.prefix}{name}"


def _drawn(calls: Calls) -> set[str]:
    """The calls that the drawn losses, the collected value and the writes come from."""
    wanted = [loss.name for loss in calls.losses] + [read.maker for read in calls.reads if not read.reader]
    if calls.leg.collect:
        wanted.append(_maker(calls, calls.leg.collect))
    return calls.above(*wanted)


def _stacks(calls: Calls, leg: SizedLeg, drawn: set[str]) -> dict[str, str]:
    """Views that every reader reads together in one bag are one stack, named after the first."""
    readers: dict[str, list[tuple[str, str]]] = {}
    for read in calls.reads:
        view = calls.calls[read.maker].view
        if view is not None and read.reader in drawn:
            readers.setdefault(view, []).append((read.reader, read.port if read.is_bag else f"{read.port} of {view}"))
    images = [value for value in calls.calls.values() if value.view and value.port == "image"]
    sides = {str(value.view): [shape[1:] for shape in leg.shapes(value.name)] for value in images}

    of = calls.graph.method.views

    def first_like(view: str) -> str:
        """Views of one augmentation with other settings, such as the areas of crops, are no draws of one thing."""
        like = (v for v in readers if readers[v] == readers[view] and sides.get(v) == sides.get(view))
        return next(v for v in like if of[v].augment != of[view].augment or of[v].settings == of[view].settings)

    return {view: first_like(view) for view in readers}


def _maker(calls: Calls, value: str) -> str:
    found = calls.leg.values[value]
    while found.name not in calls.calls:
        found = calls.leg.values[found.inputs[0][1]]
    return found.name


def _title(leg: Leg, resets: list[str]) -> str:
    phase: Phase | None = leg.phase
    if phase is None:
        return ""
    every = f"every {phase.every.removeprefix('1 ')}" if phase.every else ""
    start = f"from {phase.start}" if phase.start else ""
    return ", ".join(filter(None, (phase.name, every, start, f"at {', '.join(phase.at)}" if phase.at else "", *resets)))
