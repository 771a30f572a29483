"""A leg of a method as one torch.fx GraphModule, whose printed code reads like the paper."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import torch
from torch import Tensor, fx, nn

from sslgraph.draws import stream_of, substream
from sslgraph.errors import SslgraphError
from sslgraph.settle.sized import SizedGraph, SizedLeg, Step


class InFloat32(nn.Module):
    """Calls a part on float32 copies of its floating inputs with autocast off: losses, solvers. Doubles stay double."""

    def __init__(self, part: nn.Module) -> None:
        super().__init__()
        self.part = part

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        with torch.autocast(_device(args, kwargs), enabled=False):
            return self.part(*(_full(a) for a in args), **{name: _full(a) for name, a in kwargs.items()})


def _full(value: Any) -> Any:
    is_short = isinstance(value, Tensor) and value.is_floating_point() and value.dtype != torch.float64
    return value.float() if is_short else value


def _device(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    return next((str(a.device.type) for a in (*args, *kwargs.values()) if isinstance(a, Tensor)), "cpu")


class Program:
    """Runs one leg: from a batch to the values asked for. Not a module: the parts belong to the compiled method.

    Copies and pickles build the program anew around the copied parts, since torch.compile's result can't be pickled.
    """

    def __init__(
        self, sized: SizedLeg, parts: Mapping[str, nn.Module], float32: frozenset[str], outputs: dict[str, str]
    ) -> None:
        self.inputs = [step.target for step in sized.steps if step.kind == "input"]
        self.outputs = outputs
        self._made_of = (sized, parts, float32)
        root = nn.Module()
        for name in {step.target for step in sized.steps if step.kind == "call"}:
            root.add_module(name, InFloat32(parts[name]) if name in float32 else parts[name])
        self.module = fx.GraphModule(root, _emit(sized, outputs), class_name="Method")
        self.run: Any = self.module
        self.compiled: Literal["", "once", "graphs"] = ""

    def __call__(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The outputs by name; `batch` maps "x.image" and the like to tensors. SslgraphError names what it lacks."""
        if not hasattr(batch, "keys"):
            needed = f"a batch maps names to tensors ({', '.join(self.inputs)})"
            raise SslgraphError(f"{needed}, and this is a {type(batch).__name__}")
        try:
            given = [batch[key] for key in self.inputs]
        except KeyError:
            raise _lacking(self.inputs, batch) from None
        if self.compiled != "graphs":
            found: dict[str, Tensor] = self.run(*given)
            return found
        torch.compiler.cudagraph_mark_step_begin()
        return {name: value.clone() for name, value in self.run(*given).items()}  # the next replay writes over them

    def __reduce__(self) -> tuple[Any, ...]:
        return _built, (*self._made_of, self.outputs, self.compiled)

    def also(self, names: Iterable[str]) -> Program:
        """The same calls of the same parts, which give these tensors of the program as well."""
        return Program(*self._made_of, self.outputs | {name: name for name in names})

    def only(self, names: Iterable[str]) -> Program:
        """The calls that these tensors of the program need, which it gives and nothing else."""
        return Program(*self._made_of, {name: name for name in names})

    def compile(self, *, graphs: bool = False) -> None:
        """Hands the program to torch.compile; a part that can't be captured whole breaks the graph there.

        With `graphs` forward and backward are replayed as CUDA graphs: one launch each, in memory of their own.
        """
        self.run = torch.compile(self.module, mode="reduce-overhead" if graphs else None)
        self.compiled = "graphs" if graphs else "once"

    @property
    def code(self) -> str:
        """The program as Python, one line a step; ports are written where they are read (`f_x.pooled`)."""
        lines: list[str] = []
        fields: dict[str, str] = {}
        for line in self.module.code.strip().splitlines():
            line = re.sub(r";.*", "", line)  # fx frees each tensor behind its last use: true, and unreadable
            if fields:
                line = re.sub(rf"(?<![.\w'])({'|'.join(fields)})(?!\w| =)", lambda m: fields[m[1]], line)
            if found := re.fullmatch(r" +(\w+) = ([\w.]+\.\w+)", line):
                fields[found[1]] = found[2]
            elif line.strip():
                lines.append(line.replace("sslgraph_draws_substream", "substream"))
        return "\n".join(lines)


def _built(
    sized: SizedLeg, parts: Mapping[str, nn.Module], float32: frozenset[str], outputs: dict[str, str], compiled: str
) -> Program:
    program = Program(sized, parts, float32, outputs)
    if compiled:
        program.compile(graphs=compiled == "graphs")
    return program


def _lacking(names: list[str], batch: Mapping[str, Tensor]) -> SslgraphError:
    missing = ", ".join(name for name in names if name not in batch)
    there = f"there are: {', '.join(map(str, batch)) or 'none'}"
    return SslgraphError(f"the batch lacks {missing}\n  {there}")


def _emit(sized: SizedLeg, outputs: dict[str, str]) -> fx.Graph:
    graph = fx.Graph()
    nodes: dict[str, fx.Node] = {}
    needed = _needed(sized.steps, set(outputs.values()))
    for step in sized.steps:
        if step.kind == "input":
            nodes[step.name] = graph.placeholder(step.name)
    for step in sized.steps:
        if step.kind != "input" and step.name in needed:
            nodes[step.name] = _node(graph, step, [(port, nodes[source]) for port, source in step.inputs], sized)
    graph.output({name: nodes[tensor] for name, tensor in outputs.items()})
    graph.lint()
    return graph


def _node(graph: fx.Graph, step: Step, inputs: list[tuple[str, fx.Node]], sized: SizedLeg) -> fx.Node:
    sources = [node for _, node in inputs]
    match step.kind:
        case "call":
            positional, named = _arguments(sized, step, inputs)
            return graph.create_node("call_module", step.target, positional, named, name=step.name)
        case "get":
            return graph.create_node("call_function", getattr, (sources[0], step.target), name=step.name)
        case "join":
            return graph.create_node("call_function", torch.cat, (sources,), name=step.name)
        case "split":
            return graph.create_node("call_method", "unflatten", (sources[0], 0, (step.views, -1)), name=step.name)
        case "member":
            return graph.create_node("call_function", operator.getitem, (sources[0], int(step.target)), name=step.name)
        case "merge":
            return graph.create_node("call_method", "flatten", (sources[0], 0, 1), name=step.name)
    number = stream_of(step.target)
    parts: dict[str, Any] = {"parts": step.parts} if step.parts > 1 else {}
    return graph.create_node("call_function", substream, (sources[0], number, step.views), parts, name=step.name)


def _arguments(
    sized: SizedLeg, step: Step, inputs: list[tuple[str, fx.Node]]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Positional as long as the ports come in the order of `forward`, by name from the first gap on."""
    order = list(sized.ports[step.target])
    given = dict(inputs)
    leading = 0
    while leading < len(order) and order[leading] in given:
        leading += 1
    return tuple(given[p] for p in order[:leading]), {p: given[p] for p in order[leading:] if p in given}


def _needed(steps: list[Step], wanted: set[str]) -> set[str]:
    for step in reversed(steps):
        if step.name in wanted:
            wanted |= {source for _, source in step.inputs}
    return wanted


def code(sized: SizedGraph) -> str:
    """The program of every leg; each has a heading if there are several."""
    legs = [leg for outer in sized.legs for leg in (outer, outer.then) if leg is not None and leg.leg.values]
    legs += [sized.export] if "(" in sized.graph.method.export else []
    texts = []
    for leg in legs:
        outputs = {loss.name: loss.name for loss in leg.leg.losses}
        outputs |= {piece.tensor: piece.tensor for write in leg.writes for _, piece in write.inputs}
        if leg.leg.collect:
            outputs |= {piece.tensor: piece.tensor for piece in leg.pieces[leg.leg.collect]}
        heading = f"# {leg.leg.name}\n" if len(legs) > 1 else ""
        texts.append(heading + Program(leg, sized.parts, frozenset(), outputs).code)
    return "\n\n".join(texts)
