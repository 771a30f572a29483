"""Settling: parts on the meta device, a shape for every edge, inferred widths, and the plain steps of the program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from sslgraph import collectives, registry
from sslgraph.axes import bind, clash
from sslgraph.errors import SpecError, refusal
from sslgraph.graph import Box, Graph, Leg, Value, Write
from sslgraph.signature import RESERVED_PORTS, Port
from sslgraph.sized import Piece, SizedGraph, SizedLeg, SizedWrite, Step


def settle(
    graph: Graph,
    images: Mapping[str, tuple[int, int, int]],
    *,
    batch: int = 16,
    dataset: int = 1_000,
    plugins: tuple[str, ...] = (),
) -> SizedGraph:
    """Sizes a method for views of the given (channels, height, width); raises SpecError at the node that does not fit.

    batch: images of the global batch; dataset: images of the data set.
    """
    parts: dict[str, nn.Module] = {}
    settings: dict[str, dict[str, Any]] = {}
    landmarks: dict[str, dict[str, float]] = {}
    legs, results = [], dict[Any, Any]()
    for leg in graph.legs:
        # The meta batch is the global one: counted once more by each rank, a queue would look too small for it.
        # Autograd stays off: a kept tensor with a history could be neither deep-copied nor pickled.
        with collectives.alone(), torch.no_grad():
            work = _Settling(graph, leg, dict(images), batch, dataset, plugins, parts, settings, landmarks, results)
            legs.append(work.run())
    return SizedGraph(graph, settings, tuple(legs), parts, landmarks)


class _Settling:
    """Lowers the values of one leg to steps while running them on the meta device."""

    def __init__(
        self,
        graph: Graph,
        leg: Leg,
        images: dict[str, tuple[int, int, int]],
        batch: int,
        dataset: int,
        plugins: tuple[str, ...],
        parts: dict[str, nn.Module],
        settings: dict[str, dict[str, Any]],
        landmarks: dict[str, dict[str, float]],
        results: dict[Any, Any],
    ) -> None:
        self.graph, self.leg, self.images, self.batch, self.dataset = graph, leg, images, batch, dataset
        self.plugins, self.parts, self.settings, self.landmarks = plugins, parts, settings, landmarks
        self.results = results  # of calls already made: a net on a second view, or its target, gives the same shapes
        self.out = SizedLeg(leg)
        self.open: list[str] = []

    def run(self) -> SizedLeg:
        for value in self.leg.values:
            self.pieces(value)
        for write in self.leg.writes:
            self.write(write)
        if self.leg.then is not None:
            after = _Settling(
                self.graph,
                self.leg.then,
                self.images,
                self.batch,
                self.dataset,
                self.plugins,
                self.parts,
                self.settings,
                self.landmarks,
                self.results,
            )
            self.out.then = after.run()
        return self.out

    def pieces(self, name: str) -> tuple[Piece, ...]:
        """The tensors of a value, made on demand (a state needs the shapes of what is written to it)."""
        if name not in self.out.pieces:
            value = self.leg.values[name]
            if name in self.open:
                raise self.fault(value, "its width depends on itself through a state", "write the state's dim: out")
            self.open.append(name)
            self.out.pieces[name] = self._lower(value)
            self.open.pop()
        return self.out.pieces[name]

    def _lower(self, value: Value) -> tuple[Piece, ...]:
        match value.kind:
            case "view":
                return (self._view(value),)
            case "given":
                return (Piece(self._step(Step(value.name, "input", value.name), None)),)
            case "bag":
                return self._joined(value.name, [piece for _, source in value.inputs for piece in self.pieces(source)])
            case "port":
                pieces = self.pieces(value.inputs[0][1])
                return self._joined(
                    value.name, [self._get(value, piece, i, len(pieces)) for i, piece in enumerate(pieces)]
                )
        assert value.box is not None
        return self._call(value, self.graph.boxes[value.box])

    def _view(self, value: Value) -> Piece:
        name = str(value.view)
        copies = self.graph.method.views[name].copies
        rows = copies * self.batch
        meta = {
            "image": lambda: torch.empty(rows, *self.images[name], device="meta"),
            "index": lambda: torch.empty(rows, dtype=torch.int64, device="meta"),
            "box": lambda: torch.empty(rows, 4, device="meta"),
            "flip": lambda: torch.empty(rows, dtype=torch.bool, device="meta"),
        }[value.port or "image"]()
        return Piece(self._step(Step(value.name, "input", f"{name}.{value.port}"), meta), copies)

    def _get(self, value: Value, piece: Piece, number: int, of: int) -> Piece:
        name = value.name if of == 1 else self._derived(f"{value.name}_{number + 1}")
        source = self.out.tensors[piece.tensor]
        meta = None if source is None else getattr(source, value.port or "")
        return Piece(self._step(Step(name, "get", value.port or "", (("", piece.tensor),)), meta), piece.views)

    def _joined(self, name: str, pieces: list[Piece]) -> tuple[Piece, ...]:
        """Consecutive pieces of one shape become one: a net then runs once for each resolution."""
        runs: list[list[Piece]] = []
        for piece in pieces:
            same = runs and self._row_shape(runs[-1][0]) == self._row_shape(piece) is not None
            runs[-1].append(piece) if same else runs.append([piece])
        out = []
        for number, run in enumerate(runs):
            if len(run) > 1:
                is_whole = len(runs) == 1 and name not in self.out.tensors
                joined = (
                    name if is_whole else self._derived(f"{name}_joined" + (f"_{number + 1}" if len(runs) > 1 else ""))
                )
                meta = torch.cat([self.out.tensors[piece.tensor] for piece in run])
                step = Step(joined, "join", inputs=tuple(("", piece.tensor) for piece in run))
                out.append(Piece(self._step(step, meta), sum(piece.views for piece in run)))
            else:
                out.append(run[0])
        return tuple(out)

    def _row_shape(self, piece: Piece) -> tuple[Any, ...] | None:
        tensor = self.out.tensors[piece.tensor]
        return (tensor.dtype, *tensor.shape[1:]) if isinstance(tensor, Tensor) else None

    def _call(self, value: Value, box: Box) -> tuple[Piece, ...]:
        sources = {port: self.pieces(source) for port, source in value.inputs}
        count = max((len(pieces) for pieces in sources.values()), default=1)
        uneven = [port for port, pieces in sources.items() if len(pieces) not in (1, count)]
        several = [port for port, pieces in sources.items() if len(pieces) > 1]
        bags = [port for port in several if box.signature.inputs[port].is_bag]
        if uneven or (several and len(several) < len(sources)) or bags:
            port = (uneven or bags or several)[0]
            shapes = ", ".join(str(list(shape)) for shape in self.out.shapes(dict(value.inputs)[port]))
            raise self.fault(
                value,
                f"port '{port}' of {box.use} takes one tensor, and is given several resolutions: {shapes}",
                "pool or embed them first, so that all have one shape",
            )
        results = []
        for group in range(count):
            given = {port: pieces[group] for port, pieces in sources.items()}
            name = value.name if count == 1 else self._derived(f"{value.name}_{group + 1}")
            results.append(self._call_once(value, box, given, name))
        return self._joined(value.name, results) if not box.signature.has_fields else tuple(results)

    def _call_once(self, value: Value, box: Box, given: dict[str, Piece], name: str) -> Piece:
        inputs = {port: self._fitted(value, port, box.signature.inputs[port], piece) for port, piece in given.items()}
        metas = {port: self.out.tensors[tensor] for port, tensor in inputs.items()}
        part = self._part(value, box, metas)
        rows = next(
            (
                self.out.tensors[piece.tensor].shape[0]
                for piece in given.values()
                if isinstance(self.out.tensors[piece.tensor], Tensor)
            ),
            self.batch,
        )
        for reserved in RESERVED_PORTS:
            if reserved in box.signature.inputs:
                inputs[reserved] = self._reserved(value, name, reserved, rows)
                metas[reserved] = self.out.tensors[inputs[reserved]]
        self.out.ports[box.name] = tuple(box.signature.inputs)
        meta = self._run(value, box, part, metas)
        # A part that takes all views of a bag at once and gives no bag has made one row of each sample.
        views = next((1 if box.signature.inputs[port].is_bag else piece.views for port, piece in given.items()), 1)
        step = Step(name, "call", box.name, tuple(inputs.items()))
        if box.section == "losses" and meta is not None and hasattr(part, "landmarks"):
            self.landmarks[box.name] = {k: float(v) for k, v in _landmarks(part, metas).items()}
        if box.signature.outputs and box.signature.outputs[0].is_bag and not box.signature.has_fields:
            views = 1 if meta is None else meta.shape[0]
            bag = self._step(Step(self._derived(f"{name}_views"), "call", box.name, step.inputs), meta)
            merged = None if meta is None else meta.flatten(0, 1)
            return Piece(self._step(Step(name, "merge", inputs=(("", bag),)), merged), views)
        return Piece(self._step(step, meta), views)

    def _fitted(self, value: Value, port_name: str, port: Port, piece: Piece) -> str:
        """The tensor as the port wants it: a bag's port sees [views, batch, ...], every other all rows."""
        meta = self.out.tensors[piece.tensor]
        if not port.is_bag or meta is None:
            return piece.tensor
        name = self._derived(f"{piece.tensor}_views")
        if name not in self.out.tensors:
            if meta.shape[0] % piece.views:
                raise self.fault(value, f"port '{port_name}' can't split {meta.shape[0]} rows into {piece.views} views")
            self._step(
                Step(name, "split", inputs=(("", piece.tensor),), views=piece.views),
                meta.unflatten(0, (piece.views, -1)),
            )
        return name

    def _reserved(self, value: Value, name: str, port: str, rows: int) -> str:
        if port == "clock":
            if "clock" not in self.out.tensors:
                self._step(Step("clock", "input", "clock"), torch.empty(3, dtype=torch.int64, device="meta"))
            return "clock"
        if "draw" not in self.out.tensors:
            self._step(Step("draw", "input", "draw"), torch.empty(self.batch, 4, dtype=torch.int64, device="meta"))
        copies, rest = divmod(rows, self.batch)
        if rest:
            raise self.fault(
                value,
                f"its {rows} rows are no multiple of the batch of {self.batch}, so they have no draws of their own",
            )
        step = Step(self._derived(f"draw_{name}"), "stream", name, (("", "draw"),), copies)
        return self._step(step, torch.empty(rows, 4, dtype=torch.int64, device="meta"))

    def _part(self, value: Value, box: Box, metas: dict[str, Any]) -> nn.Module:
        """The part on the meta device, built when the first tensor arrives and its widths are known."""
        bound = bind(box.signature.inputs, metas)
        if box.name not in self.parts:
            open_ = [
                name
                for name, setting in box.signature.settings.items()
                if setting.default is None and box.settings.get(name) is None and name != "images"
            ]
            if not bound.keys() >= set(open_):
                self._measure_writes(box, bound)
            inferred = {name: bound[name] for name in open_ if name in bound}
            if "images" in box.signature.settings and box.settings.get("images") is None:
                inferred["images"] = self.dataset
            self.settings[box.name] = {**box.settings, **inferred}
            try:
                with torch.device("meta"):
                    self.parts[box.name] = registry.build(box.use, self.settings[box.name], self.plugins)
            except (
                Exception
            ) as wrong:  # whatever a part's constructor finds wrong is the spec's fault, told at its place
                raise self.refused(box.path, f"'{box.name}' ({box.use}) can't be built", wrong) from wrong
        self._compare(value, box, bound, metas)
        return self.parts[box.name]

    def _measure_writes(self, box: Box, bound: dict[str, int]) -> None:
        for write in self.leg.writes:
            if write.box == box.name and box.section == "state":
                ports = box.signature.writes[write.method]
                metas = {}
                for port, source in write.inputs:
                    piece = self.pieces(source)[0]
                    metas[port] = self.out.tensors[self._fitted(self.leg.values[source], port, ports[port], piece)]
                for axis, size in bind(ports, metas).items():
                    bound.setdefault(axis, size)

    def _compare(self, value: Value, box: Box, bound: dict[str, int], metas: dict[str, Any]) -> None:
        """Each axis name stands for one size within a call, and a width that the spec writes is what arrives."""
        if message := clash(box.signature.inputs, metas):
            cure = "set the widths of the parts that make them (out:, dim:) so that they match"
            raise self.fault(value, f"'{box.name}' ({box.use}): {message}", cure)
        for name, size in bound.items():
            written = box.settings.get(name)
            if isinstance(written, int) and written != size and name in box.signature.settings:
                problem = f"'{box.name}' is told {name}: {written}, and {size} arrives"
                here = self.graph.place((*box.path, name))
                raise refusal(here, problem, f"leave {name} out: it is filled from what arrives")

    def _run(self, value: Value, box: Box, part: nn.Module, metas: dict[str, Any]) -> Any:
        if any(meta is None for meta in metas.values()):
            return None  # after a pass over the data set: solvers whose work depends on the numbers
        key = (
            type(part),
            repr(self.settings[box.name]),
            tuple((port, meta.dtype, meta.shape) for port, meta in metas.items()),
        )
        if key in self.results:
            return self.results[key]
        try:
            found = self.results[key] = part(**metas)
            return found
        except Exception as wrong:  # whatever a part raises on tensors of these shapes is told at its node
            shapes = ", ".join(
                f"{port}={list(meta.shape)}"
                for port, meta in metas.items()
                if port not in RESERVED_PORTS and isinstance(meta, Tensor)
            )
            raise self.refused(value.path, f"'{box.name}' ({box.use}) can't take {shapes or 'this'}", wrong) from wrong

    def write(self, write: Write) -> None:
        """Runs a write on the meta device, so that a queue that a batch does not divide is refused here."""
        box = self.graph.boxes[write.box]
        ports = box.signature.writes.get(write.method, {})
        inputs, metas = [], {}
        for port, source in write.inputs:
            pieces = self.pieces(source)
            if len(pieces) != 1:
                raise self.fault(
                    self.leg.values[source],
                    f"{box.name}.{write.method} takes one tensor, and is given several resolutions",
                )
            inputs.append((port, pieces[0]))
            meta = self.out.tensors[pieces[0].tensor]
            split = ports[port].is_bag and meta is not None
            metas[port] = meta.unflatten(0, (pieces[0].views, -1)) if split else meta
        if box.name not in self.parts and box.section == "state":
            named = self.leg.values[write.inputs[0][1]] if write.inputs else Value(box.name, "call", path=box.path)
            self._part(named, _as_written(box, write.method), metas)
        self.out.writes.append(SizedWrite(write, tuple(inputs)))
        if ports and all(meta is not None for meta in metas.values()):
            try:
                getattr(self.parts[box.name], write.method)(**metas)
            except Exception as wrong:
                raise self.refused(write.path, f"{box.name}.{write.method}", wrong) from wrong

    def _derived(self, name: str) -> str:
        """A name for a tensor that no value of the spec has."""
        while name in self.leg.values:
            name += "_"
        return name

    def _step(self, step: Step, meta: Any) -> str:
        self.out.steps.append(step)
        self.out.tensors[step.name] = meta
        return step.name

    def fault(self, value: Value, problem: str, cure: str = "") -> SpecError:
        return refusal(self.graph.place(value.path), f"value '{value.name}': {problem}", cure)

    def refused(self, path: Any, what: str, wrong: Exception) -> SpecError:
        if isinstance(wrong, SpecError):
            return wrong
        text = str(wrong).strip().split("\n")[0]
        return refusal(self.graph.place(path), f"{what}: {text}")


def _as_written(box: Box, method: str) -> Box:
    """A state that nothing reads before its write, seen through the ports of that write."""
    return replace(box, signature=replace(box.signature, inputs=box.signature.writes[method]))


def _landmarks(part: Any, metas: dict[str, Any]) -> dict[str, float]:
    """The values of a loss that mean something, from the shapes alone."""
    found: dict[str, float] = part.landmarks(**metas)
    return found
