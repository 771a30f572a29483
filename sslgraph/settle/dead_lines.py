"""Checks parts from elsewhere against autograd: finds ports that promise a gradient and send none."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from sslgraph.settle import real_run
from sslgraph.settle.own_calls import OwnCall, own_calls
from sslgraph.settle.sized import SizedGraph
from sslgraph.wire.gradients import moved_by


def dead_lines(sized: SizedGraph, plugins: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """(part, port) where the gradient map sends a gradient and the part's own backward pass does not.

    Only parts from outside the catalogue are asked, once each, on random numbers; one that can't run on those is not.
    """
    return tuple((call.box.name, port) for call in own_calls(sized, plugins) for port in _dead(sized, call))


def _dead(sized: SizedGraph, call: OwnCall) -> Iterator[str]:
    box, leg = call.box, call.leg.leg
    reaches = moved_by(sized.graph, leg)
    drawn = {
        port
        for value in leg.values.values()
        if value.box == box.name and value.kind in ("call", "loss") and reaches[value.name]
        for port, source in value.inputs
        if reaches[source] and port not in box.traits.detached and "*" not in box.traits.detached
    }
    if not drawn:
        return
    try:
        alive = _alive(call)
    except Exception:  # a part may ask more of its inputs than random numbers have
        return
    yield from sorted(port for port in drawn if call.metas[port].is_floating_point() and port not in alive)


def _alive(call: OwnCall) -> set[str]:
    """The ports to which a backward pass of the part brings a gradient."""
    part, inputs = call.part(), call.inputs()
    leaves = {port: value for port, value in inputs.items() if value.requires_grad}
    with torch.enable_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        result = real_run.called(part, "", inputs)
        outputs = [out.sum() for out in (result if isinstance(result, tuple) else (result,)) if out.requires_grad]
        if not outputs:
            return set()
        gradients = torch.autograd.grad(outputs, list(leaves.values()), allow_unused=True)
    return {port for port, gradient in zip(leaves, gradients, strict=True) if gradient is not None}
