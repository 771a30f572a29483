"""Calls parts from elsewhere alone on random numbers, to see what they really do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from sslgraph.settle import real_run
from sslgraph.settle.given_numbers import with_numbers
from sslgraph.settle.sized import SizedGraph, SizedLeg
from sslgraph.wire.graph import Box, TargetBox

LARGEST = 10_000_000  # parameters of a part that is still run, on the CPU and on a few rows


@dataclass(frozen=True)
class OwnCall:
    """The first call of a part in the training, and what arrives there as meta tensors."""

    box: Box
    leg: SizedLeg
    metas: Mapping[str, Tensor]
    settings: dict[str, Any]
    plugins: tuple[str, ...]

    def part(self) -> nn.Module:
        """The part with weights."""
        return with_numbers(real_run.built(self.box.use, self.settings, self.plugins), self.box)

    def inputs(self) -> dict[str, Tensor]:
        """Random inputs of a few images; floats want a gradient."""
        few = real_run.few(self.box.signature.inputs, self.metas)
        return {port: value.requires_grad_() if value.is_floating_point() else value for port, value in few.items()}


def own_calls(sized: SizedGraph, plugins: tuple[str, ...]) -> Iterator[OwnCall]:
    """One call of each part that is not in the catalogue and not too large to be tried."""
    leg = next(leg for leg in sized.legs if leg.leg.is_training)
    for box in sized.graph.boxes.values():
        if box.signature.family != "plugin" or box.name not in sized.parts or isinstance(box, TargetBox):
            continue
        step = next((step for step in leg.steps if step.kind == "call" and step.target == box.name), None)
        if step is not None and sized.parameters(box.name) <= LARGEST:
            metas = {port: leg.tensors[tensor] for port, tensor in step.inputs}
            yield OwnCall(box, leg, metas, sized.settings[box.name], plugins)
