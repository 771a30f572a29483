"""Keeps the tensors on a method's edges in a watched step; other steps run the program unchanged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from sslgraph.compile.program import Program
from sslgraph.settle.edges import edges, loss_inputs
from sslgraph.settle.sized import SizedLeg
from sslgraph.wire.graph import Graph


class Watch:
    """The named edges of a training step, and its tensors at them once `ask` is called before its forward pass.

    The watched step makes the same calls of the same parts and gives more of what they return, so numbers stay as
    they are; its program is built when it is first asked for. `seen` maps names of the program's tensors to them.
    """

    def __init__(self, graph: Graph, leg: SizedLeg, parts: Mapping[str, nn.Module]) -> None:
        self.edges = edges(graph, leg)
        self.seen: dict[str, Tensor] = {}
        self._inputs = {loss: ports for loss, ports in loss_inputs(leg).items() if hasattr(parts[loss], "monitors")}
        self._parts = parts
        self._program: Program | None = None
        self._is_asked = False

    @property
    def tensors(self) -> list[str]:
        """What is kept."""
        found = [name for edge in self.edges for name in (edge.tensor, edge.other) if name]
        return list(dict.fromkeys([*found, *(name for ports in self._inputs.values() for name in ports.values())]))

    def ask(self) -> None:
        """Has the next micro-batch keep its tensors."""
        self.seen, self._is_asked = {}, True

    def run(self, program: Program, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The program's outputs; in a step that was asked for, what is watched is kept on the way."""
        if not self._is_asked:
            return program(batch)
        self._program = self._program or program.also(self.tensors)
        out = self._program(batch)
        self.seen, self._is_asked = {name: out[name].detach() for name in self.tensors}, False
        return out

    def losses(self) -> dict[str, dict[str, Tensor]]:
        """What the losses that have a word for it say of the tensors seen: 0-d values by loss and name."""
        found = {}
        for loss, ports in self._inputs.items():
            part: Any = self._parts[loss]
            found[loss] = part.monitors(**{port: self.seen[tensor] for port, tensor in ports.items()})
        return found
