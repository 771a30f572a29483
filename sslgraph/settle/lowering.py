"""Lowering: the values of one leg become plain steps, and each step runs on the meta device for its shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sslgraph.parts.signature import RESERVED_PORTS, Port
from sslgraph.settle.axes import bind
from sslgraph.settle.meta_parts import MetaParts
from sslgraph.settle.sized import Piece, SizedLeg, SizedWrite, Step
from sslgraph.settle.tensors import Tensors, fault
from sslgraph.wire.graph import Box, Graph, Leg, StateBox, Value, Write


@dataclass(frozen=True)
class Sizes:
    """Of each view (channels, height, width) and its copies, and the images of the global batch."""

    views: Mapping[str, tuple[int, int, int]]
    copies: Mapping[str, int]
    batch: int


class Lowering:
    """One walk over a leg. Values are made on demand: a state needs the shapes of what is written to it."""

    def __init__(self, graph: Graph, leg: Leg, sizes: Sizes, parts: MetaParts) -> None:
        self.graph, self.leg, self.sizes, self.parts = graph, leg, sizes, parts
        self.out = SizedLeg(leg)
        self.tensors = Tensors(self.out)
        self.collected: Any = None  # what a pass over the data set has collected, as a meta tensor
        self._open: list[str] = []

    def run(self) -> SizedLeg:
        """The program of the leg, and of what follows it."""
        for value in self.leg.values:
            self._pieces(value)
        for write in self.leg.writes:
            self._write(write)
        if self.leg.then is not None:
            after = Lowering(self.graph, self.leg.then, self.sizes, self.parts)
            after.collected = self._collected() if self.leg.collect else None
            self.out.then = after.run()
        return self.out

    def _collected(self) -> Any:
        """One row for each image of the data set."""
        rows = self.out.tensors[self._pieces(str(self.leg.collect))[0].tensor]
        size = (self.parts.dataset, *rows.shape[1:]) if isinstance(rows, Tensor) else None
        return None if size is None else torch.empty(size, device="meta")

    def _pieces(self, name: str) -> tuple[Piece, ...]:
        if name not in self.out.pieces:
            value = self.leg.values[name]
            if name in self._open:
                raise fault(value, "its width depends on itself through a state", self._cure_of_circle())
            self._open.append(name)
            self.out.pieces[name] = self._lowered(value)
            self._open.pop()
        return self.out.pieces[name]

    def _cure_of_circle(self) -> str:
        """Which settings of the states among the open values end the circle."""
        boxes = [self.graph.boxes.get(self.leg.values[name].box or "") for name in self._open]
        wanted = {box.name: self.parts.missing(box, {}) for box in boxes if isinstance(box, StateBox)}
        return "; ".join(f"write {' and '.join(names)} of the state '{state}'" for state, names in wanted.items())

    def _lowered(self, value: Value) -> tuple[Piece, ...]:
        match value.kind:
            case "view":
                return (self._view(value),)
            case "given":
                return (Piece(self.tensors.step(Step(value.name, "input", value.name), self.collected)),)
            case "bag":
                pieces = [piece for _, source in value.inputs for piece in self._pieces(source)]
                return self.tensors.joined(value.name, pieces)
            case "member":
                return (self.tensors.member(value, self._pieces(value.inputs[0][1])),)
            case "port":
                whole = self._pieces(value.inputs[0][1])
                names = self.tensors.numbered(value.name, len(whole))
                got = [self._got(value, piece, name) for piece, name in zip(whole, names, strict=True)]
                return self.tensors.joined(value.name, got)
        assert value.box is not None
        return self._calls(value, self.graph.boxes[value.box])

    def _view(self, value: Value) -> Piece:
        name, port = str(value.view), value.port or "image"
        copies = self.sizes.copies[name]
        row, dtype = {
            "image": (self.sizes.views[name], torch.float32),
            "index": ((), torch.int64),
            "label": ((), torch.int64),
            "map": (self.sizes.views[name][1:], torch.int64),
            "box": ((4,), torch.float32),
            "flip": ((), torch.bool),
            "colours": ((4,), torch.float32),
        }[port]
        meta = torch.empty(copies * self.sizes.batch, *row, dtype=dtype, device="meta")
        return Piece(self.tensors.step(Step(value.name, "input", f"{name}.{port}"), meta), copies)

    def _got(self, value: Value, piece: Piece, name: str) -> Piece:
        source, port = self.out.tensors[piece.tensor], value.port or ""
        meta = None if source is None else getattr(source, port)
        if isinstance(meta, Tensor) and 0 in meta.shape:
            box = self.graph.boxes[str(self.leg.values[value.inputs[0][1]].box)]
            told = "; ".join(f"{name}: {text}" for name, text in box.signature.meanings.items() if f"`{port}`" in text)
            problem = f"the output '{port}' of '{box.name}' ({box.use}) is empty, {list(meta.shape)}"
            raise fault(value, problem, f"set what fills it, in {box.section}: {told}" if told else "read another")
        return Piece(self.tensors.step(Step(name, "get", port, (("", piece.tensor),)), meta), piece.views)

    def _calls(self, value: Value, box: Box) -> tuple[Piece, ...]:
        """One call for each resolution."""
        sources = {port: self._pieces(source) for port, source in value.inputs}
        count = max((len(pieces) for pieces in sources.values()), default=1)
        uneven = [port for port, pieces in sources.items() if len(pieces) not in (1, count)]
        several = [port for port, pieces in sources.items() if len(pieces) > 1]
        bags = [port for port in several if box.signature.inputs[port].is_bag]
        if uneven or bags or 0 < len(several) < len(sources):
            port = (uneven or bags or several)[0]
            shapes = ", ".join(str(list(shape)) for shape in self.out.shapes(dict(value.inputs)[port]))
            problem = f"port '{port}' of {box.use} takes one tensor, but gets several resolutions: {shapes}"
            raise fault(value, problem, "pool or embed them first, so that all have one shape")
        results = []
        for group, name in enumerate(self.tensors.numbered(value.name, count)):
            results.append(self._call(value, box, {port: pieces[group] for port, pieces in sources.items()}, name))
        return tuple(results) if box.signature.has_fields else self.tensors.joined(value.name, results)

    def _call(self, value: Value, box: Box, given: dict[str, Piece], name: str) -> Piece:
        ports = box.signature.inputs
        inputs = {port: self._fitted(value, ports[port], piece) for port, piece in given.items()}
        self._prepare(value, box, ports, self._metas(inputs))
        arriving = [(self.out.tensors[piece.tensor], piece.views) for piece in given.values()]
        batch = (self.sizes.batch, 1)
        rows, copies = next(
            ((one.shape[0], views) for one, views in arriving if isinstance(one, Tensor) and one.dim()), batch
        )
        for reserved in RESERVED_PORTS:
            if reserved in ports and self.leg is self.graph.export:
                if not ports[reserved].optional:
                    raise fault(value, f"'{box.name}' ({box.use}) draws random numbers", "a representation has none")
            elif reserved in ports:
                inputs[reserved] = self._reserved(value, name, reserved, rows, copies)
        self.out.ports[box.name] = tuple(ports)
        given_metas = self._metas(inputs)
        is_pass = self.leg.is_after_pass
        meta = self.parts.promised(box, given_metas) if is_pass else self.parts.run(value, box, given_metas)
        step = Step(name, "call", box.name, tuple(inputs.items()))
        if box.signature.outputs and box.signature.outputs[0].is_bag and not box.signature.has_fields:
            bag = self.tensors.step(Step(self.tensors.derived(f"{name}_views"), "call", box.name, step.inputs), meta)
            merged = None if meta is None else meta.flatten(0, 1)
            views = 1 if meta is None else meta.shape[0]
            return Piece(self.tensors.step(Step(name, "merge", inputs=(("", bag),)), merged), views)
        # A part that takes all views of a bag at once and gives no bag has made one row of each sample.
        views = next((1 if ports[port].is_bag else piece.views for port, piece in given.items()), 1)
        if self.parts.makes_rows(box):
            views = 1
        return Piece(self.tensors.step(step, meta), views)

    def _fitted(self, value: Value, port: Port, piece: Piece) -> str:
        """The tensor as the port wants it: a bag's port sees [views, batch, ...], every other all rows."""
        meta = self.out.tensors[piece.tensor]
        return piece.tensor if not port.is_bag or meta is None else self.tensors.split(value, piece)

    def _reserved(self, value: Value, name: str, port: str, rows: int, copies: int) -> str:
        if port == "clock":
            if "clock" not in self.out.tensors:
                self.tensors.step(Step("clock", "input", "clock"), torch.empty(3, dtype=torch.int64, device="meta"))
            return "clock"
        batch = self.sizes.batch
        if "draw" not in self.out.tensors:
            self.tensors.step(Step("draw", "input", "draw"), torch.empty(batch, 4, dtype=torch.int64, device="meta"))
        if rows % batch:
            problem = f"its {rows} rows are not a multiple of the batch of {batch}"
            raise fault(value, f"{problem}, so they have no random numbers of their own")
        copies = copies if rows % (batch * copies) == 0 else rows // batch
        parts = rows // (batch * copies)  # rows that a part has made of one image, which follow each other
        step = Step(self.tensors.derived(f"draw_{name}"), "stream", name, (("", "draw"),), copies, parts)
        return self.tensors.step(step, torch.empty(rows, 4, dtype=torch.int64, device="meta"))

    def _prepare(self, value: Value, box: Box, ports: Mapping[str, Port], metas: Mapping[str, Any]) -> None:
        """Has the part built when the first tensors arrive, and compares it with all that arrive."""
        self.parts.refuse_clash(value, box, ports, metas)  # first: else widths of other axes were its mistake
        widths = bind(ports, metas)
        if box.name not in self.parts.built:
            if self.parts.missing(box, widths):
                widths = {**self._written_widths(box), **widths}
            self.parts.build(box, widths)
        self.parts.compare(box, widths)

    def _written_widths(self, box: Box) -> dict[str, int]:
        """The sizes of the axes of all that is written to a state."""
        widths: dict[str, int] = {}
        for write in self.leg.writes:
            if write.box == box.name and isinstance(box, StateBox):
                ports, metas = box.signature.writes[write.method], {}
                for port, source in write.inputs:
                    piece = self._pieces(source)[0]
                    metas[port] = self.out.tensors[self._fitted(self.leg.values[source], ports[port], piece)]
                if all(len(self._pieces(source)) == 1 for _, source in write.inputs):  # several are reported later
                    self.parts.refuse_misfit(write, box, metas)
                widths = {**bind(ports, metas), **widths}
        return widths

    def _write(self, write: Write) -> None:
        box = self.graph.boxes[write.box]
        ports = box.signature.writes.get(write.method, {})
        inputs, metas = dict[str, Piece](), dict[str, Any]()
        for port, source in write.inputs:
            piece, *others = self._pieces(source)
            if others:
                problem = f"{box.name}.{write.method} takes one tensor, but gets several resolutions"
                raise fault(self.leg.values[source], problem)
            inputs[port], meta = piece, self.out.tensors[piece.tensor]
            metas[port] = meta.unflatten(0, (piece.views, -1)) if ports[port].is_bag and meta is not None else meta
        if box.name not in self.parts.built and isinstance(box, StateBox):  # nothing reads it before its write
            self.parts.refuse_misfit(write, box, metas)
            values = [self.leg.values[source] for _, source in write.inputs]
            self._prepare([*values, Value(box.name, "call", path=box.path)][0], box, ports, metas)
        self.out.writes.append(SizedWrite(write, tuple(inputs.items())))
        if ports and all(meta is not None for meta in metas.values()):
            self.parts.write(write, box, metas)

    def _metas(self, inputs: Mapping[str, str]) -> dict[str, Any]:
        return {port: self.out.tensors[tensor] for port, tensor in inputs.items()}
