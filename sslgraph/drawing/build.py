"""From the sized graph to its picture: which boxes there are, what they say, where a gradient runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sslgraph.diff.changes import written
from sslgraph.diff.figure import Figure
from sslgraph.graph import Value
from sslgraph.spec import Path, Phase

from .calls import Calls, Read, calls_of
from .lanes import with_lanes
from .picture import Box, Edge, Frame, Gradient, Kind, Level, Line, Panel, Picture, Weights
from .symmetry import Symmetry, symmetry
from .words import count, loss_words, op_words, part_words, scheduled, shape_words, spaced

if TYPE_CHECKING:
    from sslgraph.sized import SizedGraph, SizedLeg

IMAGE = "image"


def picture(sized: SizedGraph, *, level: Level = "paper") -> Picture:
    """The picture of a settled method.

    `paper`: one box for each part on each branch; of two halves that are each other's mirror image one; views that are
    always read together as one stack. `every-call`: one box for each call.
    """
    graph = sized.graph
    found = symmetry(graph, graph.training) if level == "paper" else None
    legs = [(leg, _after(leg)) for leg in sized.legs]
    panels = tuple(
        _Panel(sized, leg, after, level, found if leg.leg is graph.training else None, len(legs) > 1).panel()
        for leg, after in legs
    )
    return Picture(graph.method.method, level, panels, ", ".join(found.views) if found else "")


def _after(leg: SizedLeg) -> SizedLeg | None:
    return leg.then


class _Panel:
    """The boxes and lines of one leg, with what follows a pass over the data set."""

    def __init__(
        self,
        sized: SizedGraph,
        leg: SizedLeg,
        after: SizedLeg | None,
        level: Level,
        mirror: Symmetry | None,
        is_one_of_several: bool,
    ) -> None:
        self.sized, self.graph, self.level, self.mirror = sized, sized.graph, level, mirror
        self.leg, self.after = leg, after
        self.prefix = f"{leg.leg.name}:" if is_one_of_several else ""
        self.is_training = leg.leg.is_training
        self.figure = Figure(self.graph.method)
        self.boxes: dict[str, Box] = {}
        self.edges: list[Edge] = []
        self.merged: dict[str, str] = {}  # view -> the view whose stack it is drawn in
        self.batch = _batch(sized)

    def panel(self) -> Panel:
        for sized_leg in filter(None, (self.leg, self.after)):
            self._leg(sized_leg)
        self._same_weights()
        self._followers()
        boxes, lanes = with_lanes(list(self.boxes.values()), self.edges)
        phase = self.leg.leg.phase
        return Panel(
            self.leg.leg.name, _title(phase), tuple(boxes), tuple(self.edges), lanes, tuple(_frames(boxes, lanes))
        )

    def _leg(self, sized_leg: SizedLeg) -> None:
        calls = calls_of(self.graph, sized_leg.leg, without=self.mirror.mirrors if self.mirror else ())
        drawn = self._drawn(calls)
        if self.level == "paper":
            self.merged = _stacks(calls, sized_leg, drawn)
        self._views(calls, sized_leg, drawn)
        for name, value in calls.calls.items():
            if name in drawn and value.kind in ("call", "loss"):
                self._call(calls, sized_leg, value)
        for read in calls.reads:
            if read.reader in drawn:
                self._read(calls, sized_leg, read)
        if sized_leg.leg.collect:
            self._collect(calls, sized_leg)
        self._writes(calls, sized_leg)

    def _drawn(self, calls: Calls) -> set[str]:
        """The calls that the kept losses, the collected value and the writes come from."""
        wanted = [loss.name for loss in calls.losses]
        wanted += [read.maker for read in calls.reads if not read.reader]
        if calls.leg.collect:
            wanted.append(_maker(calls, calls.leg.collect))
        makers: dict[str, list[str]] = {}
        for read in calls.reads:
            makers.setdefault(read.reader, []).append(read.maker)
        seen: set[str] = set()
        while wanted:
            name = wanted.pop()
            if name not in seen:
                seen.add(name)
                wanted += makers.get(name, [])
        return seen

    def _id(self, name: str) -> str:
        return f"{self.prefix}{name}"

    def _views(self, calls: Calls, leg: SizedLeg, drawn: set[str]) -> None:
        views = list(dict.fromkeys(str(v.view) for n, v in calls.calls.items() if v.kind == "view" and n in drawn))
        if not views:
            return
        self._add(Box(self._id(IMAGE), "image", symbol="", title="image"))
        used: list[str] = []
        for number, view in enumerate(view for view in views if self.merged.get(view, view) == view):
            spec = self.graph.method.views[view]
            mates = [v for v in views if self.merged.get(v, v) == view]
            copies = sum(self.graph.method.views[v].copies for v in mates)
            names = ", ".join(dict.fromkeys(self.graph.method.views[v].augment for v in mates))
            recipe = f"{names} {spec.settings}"
            used += [recipe] if recipe not in used else []
            transform = f"t{'′' * min(number, 3)} ~ T{'′' * min(used.index(recipe), 3)}"
            value = next((v for v in leg.leg.values.values() if v.view == view and v.port == "image"), None)
            shapes = (shape_words(((self.batch, *leg.shapes(value.name)[0][1:]),), self.batch),) if value else ()
            lines = self._lines(*(("views", v) for v in mates))
            more: dict[str, Any] = {"part": view, "use": names, "settings": _texts(spec.settings), "lines": lines}
            self._add(Box(self._id(f"t.{view}"), "augmentation", title=transform, sub=names, copies=copies, **more))
            self._add(
                Box(
                    self._id(view),
                    "view",
                    symbol=", ".join(mates),
                    copies=copies,
                    shapes=shapes,
                    values=tuple(mates),
                    **more,
                )
            )
            self.edges.append(Edge(self._id(IMAGE), self._id(f"t.{view}"), gradient="input"))
            self.edges.append(Edge(self._id(f"t.{view}"), self._id(view), gradient="input"))

    def _call(self, calls: Calls, leg: SizedLeg, value: Value) -> None:
        assert value.box is not None
        box = self.graph.boxes[value.box]
        settings = self.sized.settings.get(box.name, box.settings)
        more: dict[str, Any] = {
            "part": box.name,
            "use": box.use,
            "about": box.signature.doc.strip().split("\n")[0],
            "source": box.signature.source,
            "settings": _texts(settings),
            "parameters": self.sized.parameters(box.name) if box.name in self.sized.parts else 0,
            "values": (value.name,),
            "shapes": _shapes(leg, value.name, self.batch, is_state=box.section == "state" and not value.inputs),
            "lines": self._lines(*([box.path] if box.spec is not None else []), value.path),
        }
        words = part_words(box.signature.class_name, settings)
        if value.kind == "loss":
            note = self._mirror_note(value.name)
            sub = loss_words(settings, getattr(box.spec, "weight", 1.0))
            trains = getattr(box.spec, "trains", None)
            if trains is not None:
                note = f"trains {', '.join(trains)}" + (f"\n{note}" if note else "")
            self._add(
                Box(
                    self._id(value.name),
                    "loss",
                    title=spaced(box.signature.class_name),
                    symbol=value.name,
                    sub=sub,
                    note=note,
                    **more,
                )
            )
        elif box.section == "state":
            self._memory(box.name, more)
        elif box.section in ("nets", "targets"):
            self._net(calls, value, words, more)
        else:
            title = op_words(box.signature.class_name, settings)
            self._add(
                Box(self._id(value.name), "op", title=title, symbol=box.name if box.section == "ops" else "", **more)
            )

    def _net(self, calls: Calls, value: Value, words: str, more: dict[str, Any]) -> None:
        box = self.graph.boxes[str(value.box)]
        role = self.figure.role(box.follows or box.name)
        kind: Kind = "encoder" if role == "encoder" else "decoder" if role == "decoder" else "head"
        trained_by = calls.trains(value)
        sub = f"{words} · {count(more['parameters'])}" if more["parameters"] else words
        weights: Weights = "trained"
        if box.section == "targets":
            weights, sub = "ema", f"slow copy of {box.follows}"
        elif getattr(box.spec, "frozen", False):
            weights = "frozen"
        elif not self.is_training:
            weights, sub = "frozen", "fixed in this pass"
        elif not trained_by and calls.carried[value.name]:
            weights, sub = "frozen", f"fixed for {', '.join(sorted(calls.carried[value.name]))}"
        title = role if self.level == "paper" else ""
        self._add(
            Box(
                self._id(value.name),
                kind,
                title=title,
                symbol=box.name,
                sub=sub,
                weights=weights,
                trained_by=trained_by,
                **more,
            )
        )

    def _memory(self, name: str, more: dict[str, Any]) -> None:
        """A state is one box, whoever reads it and writes to it."""
        settings = dict(more["settings"])
        shape = "×".join(s for s in (more["shapes"] or ("",)))
        sub = f"{shape}" if shape and not shape.startswith("B") else str(settings.get("images", ""))
        if (old := self.boxes.get(self._id(name))) is not None:
            self.boxes[old.id] = replace(
                old, values=(*old.values, *more["values"]), lines=tuple(dict.fromkeys((*old.lines, *more["lines"])))
            )
            return
        self._add(
            Box(
                self._id(name),
                "memory",
                title=spaced(self.graph.boxes[name].signature.class_name),
                symbol=name,
                sub=sub,
                **more,
            )
        )

    def _read(self, calls: Calls, leg: SizedLeg, read: Read) -> None:
        losses = calls.losses_along(read) if self.is_training else ()
        reader = calls.calls[read.reader]
        maker = calls.calls[read.maker]
        gradient: Gradient = "gradient" if losses else "input" if self._is_data(calls, read) else "none"
        view = calls.calls[read.maker].view
        output = self._output(maker, read)
        name = read.name if maker.kind != "view" and not output else ""
        shape = "" if view is not None or self._is_memory(maker) else _shapes(leg, read.value, self.batch)[:1]
        edge = Edge(
            self._source(maker),
            self._target(reader),
            gradient=gradient,
            name=name,
            shape=shape[0] if shape else "",
            port=output,
            stop=self._stops(calls, read, losses),
            losses=losses,
            reads=((read.value, read.reader, read.port),),
        )
        self._line(edge)

    def _output(self, maker: Value, read: Read) -> str:
        """The maker's output where a line must tell it: what is no image of a view, no first output of a net."""
        if maker.view is not None:
            return "" if maker.port == "image" else str(maker.port)
        box = self.graph.boxes[maker.box] if maker.box else None
        is_first = (
            box is not None and box.section in ("nets", "targets") and read.output == box.signature.outputs[0].name
        )
        return "" if is_first else read.output

    def _line(self, edge: Edge) -> None:
        """Adds a line; lines between two boxes that differ in nothing but their port are one."""
        for number, old in enumerate(self.edges):
            if (old.source, old.target, old.kind, old.gradient, old.stop, old.losses) == (
                edge.source,
                edge.target,
                edge.kind,
                edge.gradient,
                edge.stop,
                edge.losses,
            ):
                port = ", ".join(dict.fromkeys(filter(None, (*old.port.split(", "), edge.port))))
                self.edges[number] = replace(
                    old, port=port, name=old.name or edge.name, reads=(*old.reads, *edge.reads)
                )
                return
        self.edges.append(edge)

    def _is_data(self, calls: Calls, read: Read) -> bool:
        """Whether a value is made of images alone, no net and no state above it, for a reader that is no slow copy."""
        reader = calls.calls[read.reader]
        if reader.box and self.graph.boxes[reader.box].section == "targets":
            return False
        return not self._above(calls, read.maker) & {"nets", "targets", "state"}

    def _above(self, calls: Calls, maker: str) -> set[str]:
        """The sections of the parts at and above a call."""
        found, todo, seen = set[str](), [maker], set[str]()
        while todo:
            name = todo.pop()
            if name in seen:
                continue
            seen.add(name)
            value = calls.calls[name]
            if value.kind == "given":  # the rows of a pass over the data set: a net made them
                found.add("nets")
            if value.box:
                found.add(self.graph.boxes[value.box].section)
            todo += [read.maker for read in calls.reads if read.reader == name]
        return found

    def _stops(self, calls: Calls, read: Read, losses: tuple[str, ...]) -> bool:
        """Whether a stop-gradient stands on a line: where a gradient ends, or where a slow copy meets a trained net."""
        if losses or not self.is_training:
            return False
        reader = calls.calls[read.reader]
        detached = self.graph.boxes[reader.box].signature.detached if reader.box else ()
        if read.stopped or (calls.reaches[read.value] and (read.port in detached)):
            return True
        meets = (
            calls.carried[read.reader] and calls.reaches[read.reader] and "targets" in self._above(calls, read.maker)
        )
        return bool(meets)

    def _collect(self, calls: Calls, leg: SizedLeg) -> None:
        """After a pass over the data set, its rows are one value."""
        collect = str(leg.leg.collect)
        name = next((n for n, v in leg.leg.flow.items() if v == collect), collect)
        maker = calls.calls[_maker(calls, collect)]
        self._add(Box(self._id(f"all.{name}"), "op", title="of all images", values=(collect,)))
        output = str(leg.leg.values[collect].port or "")
        self.edges.append(
            Edge(
                self._source(maker),
                self._id(f"all.{name}"),
                name="" if output else name,
                port=output,
                shape=(_shapes(leg, collect, self.batch) or ("",))[0],
            )
        )

    def _writes(self, calls: Calls, leg: SizedLeg) -> None:
        for write in leg.leg.writes:
            box = self.graph.boxes[write.box]
            if box.section == "state" and self._id(box.name) not in self.boxes:
                value = Value(box.name, "call", box.name, path=box.path)
                self._call(calls, leg, value)
            for port, source in write.inputs:
                read = next(r for r in calls.reads if r.value == source and not r.reader)
                self.edges.append(
                    Edge(
                        self._source(calls.calls[read.maker]),
                        self._id(box.name),
                        "write",
                        label=write.method,
                        name=read.name,
                        reads=((source, "", port),),
                    )
                )
            if not write.inputs:
                self._note(box.name, f"then {write.method}")

    def _note(self, part: str, note: str) -> None:
        """A write without inputs (a reset, a normalisation) stands under the box of its part."""
        found = [box for box in self.boxes.values() if box.part == part]
        for box in found[:1]:
            self.boxes[box.id] = replace(box, note="\n".join(filter(None, (box.note, note))))

    def _same_weights(self) -> None:
        """A double line between the boxes of one net, each to the next."""
        calls: dict[str, list[Box]] = {}
        for box in self.boxes.values():
            if box.kind in ("encoder", "head", "decoder"):
                calls.setdefault(box.part, []).append(box)
        for boxes in calls.values():
            self.edges += [Edge(one.id, other.id, "same", label="same weights") for one, other in pairwise(boxes)]

    def _followers(self) -> None:
        """A dotted line from each net to its slow copy, with its momentum."""
        for name, target in self.graph.method.targets.items():
            nets = [box for box in self.boxes.values() if box.part == target.ema_of]
            copies = [box for box in self.boxes.values() if box.part == name]
            if nets and copies and self.is_training:
                self.edges.append(Edge(nets[-1].id, copies[0].id, "ema", label=f"EMA {scheduled(target.momentum)}"))

    def _mirror_note(self, loss: str) -> str:
        if self.mirror is None or loss not in self.mirror.mirrors.values():
            return ""
        apart = self.mirror.apart[loss]
        return "+ the same with\nviews swapped" + (f" ({', '.join(apart)} transposed)" if apart else "")

    def _source(self, maker: Value) -> str:
        if maker.view is not None:
            return self._id(self.merged.get(maker.view, maker.view))
        if maker.kind == "given":
            return self._id(f"all.{maker.name}")
        return self._id(str(maker.box)) if self._is_memory(maker) else self._id(maker.name)

    def _target(self, reader: Value) -> str:
        return self._id(str(reader.box)) if self._is_memory(reader) else self._id(reader.name)

    def _is_memory(self, value: Value) -> bool:
        return value.box is not None and self.graph.boxes[value.box].section == "state"

    def _lines(self, *paths: Path) -> tuple[Line, ...]:
        places = [self.graph.place(path) for path in paths if path]
        return tuple(
            dict.fromkeys(
                Line(place.file.replace("\\", "/").rpartition("/")[2], place.line) for place in places if place
            )
        )

    def _add(self, box: Box) -> None:
        self.boxes[box.id] = box


def _stacks(calls: Calls, leg: SizedLeg, drawn: set[str]) -> dict[str, str]:
    """Views that every reader reads together in one bag are one stack, named after the first."""
    readers: dict[str, list[tuple[str, str]]] = {}
    for read in calls.reads:
        view = calls.calls[read.maker].view
        if view is not None and read.reader in drawn:
            readers.setdefault(view, []).append((read.reader, read.port if read.is_bag else f"{read.port} of {view}"))
    sides = {
        str(value.view): leg.shapes(value.name)[0][1:]
        for value in calls.calls.values()
        if value.view and value.port == "image"
    }
    return {
        view: next((v for v in readers if readers[v] == read_by and sides.get(v) == sides.get(view)), view)
        for view, read_by in readers.items()
    }


def _maker(calls: Calls, value: str) -> str:
    found = calls.leg.values[value]
    while found.name not in calls.calls:
        found = calls.leg.values[found.inputs[0][1]]
    return found.name


def _frames(boxes: Iterable[Box], lanes: Iterable[str]) -> Iterator[Frame]:
    """Where a method has slow copies, each branch of nets stands on a ground of its own."""
    nets = {lane: [box for box in boxes if box.lane == lane and box.weights != "none"] for lane in lanes}
    if any(box.weights == "ema" for found in nets.values() for box in found):
        for lane, found in nets.items():
            if found:
                yield Frame(
                    "target network" if any(box.weights == "ema" for box in found) else "online network",
                    lane,
                    tuple(box.id for box in found),
                )


def _title(phase: Phase | None) -> str:
    if phase is None:
        return ""
    times = [
        f"every {phase.every}" if phase.every else "",
        f"from {phase.start}" if phase.start else "",
        f"at {', '.join(phase.at)}" if phase.at else "",
    ]
    return ", ".join(filter(None, (phase.name, *times)))


def _batch(sized: SizedGraph) -> int:
    """How many images a step has, read off the rows of a view."""
    for leg in sized.legs:
        for value in leg.leg.values.values():
            if value.kind == "view" and (shapes := leg.shapes(value.name)):
                return shapes[0][0] // sized.graph.method.views[str(value.view)].copies
    return 0


def _shapes(leg: SizedLeg, value: str, batch: int, *, is_state: bool = False) -> tuple[str, ...]:
    if value not in leg.pieces:
        return ()
    return tuple(shape_words((shape,), None if is_state else batch) for shape in leg.shapes(value))


def _texts(settings: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(written(value))) for name, value in settings.items() if value is not None)
