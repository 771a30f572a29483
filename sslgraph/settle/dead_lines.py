"""The solid lines of parts from elsewhere, held against autograd: ports through which such a part sends no gradient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from sslgraph.settle import real_run
from sslgraph.settle.given_numbers import with_numbers
from sslgraph.settle.sized import SizedGraph, SizedLeg
from sslgraph.wire.gradients import moved_by
from sslgraph.wire.graph import Box, TargetBox

LARGEST = 10_000_000  # parameters of a part that is still run, on the CPU and on a few rows


def dead_lines(sized: SizedGraph, plugins: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """(part, port) where the gradient map sends a gradient and the part's own backward pass does not.

    Only parts from outside the catalogue are asked, once each, on random numbers; one that can't run on those is not.
    """
    leg = next(leg for leg in sized.legs if leg.leg.is_training)
    own = [box for box in sized.graph.boxes.values() if box.signature.family == "plugin"]
    return tuple(
        (box.name, port)
        for box in own
        if box.name in sized.parts and sized.parameters(box.name) <= LARGEST and not isinstance(box, TargetBox)
        for port in _dead(sized, leg, box, plugins)
    )


def _dead(sized: SizedGraph, leg: SizedLeg, box: Box, plugins: tuple[str, ...]) -> Iterator[str]:
    reaches = moved_by(sized.graph, leg.leg)
    drawn = {
        port
        for value in leg.leg.values.values()
        if value.box == box.name and value.kind in ("call", "loss") and reaches[value.name]
        for port, source in value.inputs
        if reaches[source] and port not in box.traits.detached and "*" not in box.traits.detached
    }
    step = next((step for step in leg.steps if step.kind == "call" and step.target == box.name), None)
    if not drawn or step is None:
        return
    metas = {port: leg.tensors[tensor] for port, tensor in step.inputs}
    try:
        alive = _alive(box, sized.settings[box.name], plugins, metas)
    except Exception:  # a part may ask more of its inputs than random numbers have
        return
    yield from sorted(port for port in drawn if metas[port].is_floating_point() and port not in alive)


def _alive(box: Box, settings: dict[str, Any], plugins: tuple[str, ...], metas: Mapping[str, Tensor]) -> set[str]:
    """The ports to which a backward pass of the part brings a gradient."""
    part = with_numbers(real_run.built(box.use, settings, plugins), box)
    inputs = real_run.few(box.signature.inputs, metas)
    leaves = {port: value.requires_grad_() for port, value in inputs.items() if value.is_floating_point()}
    with torch.enable_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        result = real_run.called(part, "", inputs)
        outputs = [out.sum() for out in (result if isinstance(result, tuple) else (result,)) if out.requires_grad]
        if not outputs:
            return set()
        gradients = torch.autograd.grad(outputs, list(leaves.values()), allow_unused=True)
    return {port for port, gradient in zip(leaves, gradients, strict=True) if gradient is not None}
