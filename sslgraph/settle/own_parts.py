"""What parts from elsewhere really do: each is called alone on random numbers, or its annotations are read."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sslgraph.settle import real_run
from sslgraph.settle.given_numbers import with_numbers
from sslgraph.settle.sized import Shape, SizedGraph
from sslgraph.wire.gradients import moved_by
from sslgraph.wire.graph import Box, LossBox, TargetBox

LARGEST = 10_000_000  # parameters of a part that is still run, on the CPU and on a few rows
Given = tuple[str, int, Shape]  # a port, the views in its rows, the shape of all of them


@dataclass(frozen=True)
class OwnCall:
    """The first call of a part in the training, and what arrives there as meta tensors."""

    box: Box
    metas: Mapping[str, Tensor]
    settings: dict[str, Any]
    plugins: tuple[str, ...]

    def part(self) -> nn.Module:
        """The part with weights."""
        return with_numbers(real_run.built(self.box.use, self.settings, self.plugins), self.box)

    def tried(self, part: nn.Module) -> tuple[dict[str, Tensor], tuple[Any, ...]]:
        """The inputs that want a gradient of a call on random numbers of a few images, and what it gives."""
        inputs = real_run.few(self.box.signature.inputs, self.metas)
        leaves = {port: value.requires_grad_() for port, value in inputs.items() if value.is_floating_point()}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            result = real_run.called(part, "", inputs)
        return leaves, result if isinstance(result, tuple) else (result,)


def own_calls(sized: SizedGraph, plugins: tuple[str, ...]) -> Iterator[OwnCall]:
    """One call of each part that is not in the catalogue and not too large to be tried."""
    leg = sized.training
    for box in sized.graph.boxes.values():
        if box.signature.family != "plugin" or box.name not in sized.parts or isinstance(box, TargetBox):
            continue
        step = next((step for step in leg.steps if step.kind == "call" and step.target == box.name), None)
        if step is not None and sized.parameters(box.name) <= LARGEST:
            metas = {port: leg.tensors[tensor] for port, tensor in step.inputs}
            yield OwnCall(box, metas, sized.settings[box.name], plugins)


def dead_lines(sized: SizedGraph, plugins: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """(part, port) where the gradient map sends a gradient and the part's own backward pass does not.

    Each part is asked once; one that can't run on random numbers is not.
    """
    return tuple((call.box.name, port) for call in own_calls(sized, plugins) for port in _dead(sized, call))


def _dead(sized: SizedGraph, call: OwnCall) -> Iterator[str]:
    box, leg = call.box, sized.training.leg
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


@torch.enable_grad()
def _alive(call: OwnCall) -> set[str]:
    """The ports to which a backward pass of the part brings a gradient."""
    leaves, outputs = call.tried(call.part())
    sums = [out.sum() for out in outputs if out.requires_grad]
    gradients = torch.autograd.grad(sums, list(leaves.values()), allow_unused=True) if sums else [None] * len(leaves)
    return {port for port, gradient in zip(leaves, gradients, strict=True) if gradient is not None}


def mixed_images(sized: SizedGraph, plugins: tuple[str, ...]) -> tuple[tuple[str, str, tuple[int, ...]], ...]:
    """(part, port, shape) where a row of the part's output depends on other rows of that port, in evaluation mode.

    Only parts that do not say so. Most often a module of torch that was meant for [images, places, width] and got
    [images, width], or [places, images, width]: it takes the images for the places of one sequence.
    """
    return tuple(
        (call.box.name, port, tuple(call.metas[port].shape))
        for call in own_calls(sized, plugins)
        if not isinstance(call.box, LossBox) and not call.box.traits.spans_batch and not call.box.traits.reorders
        for port in _mixing(call)[:1]
    )


@torch.enable_grad()
def _mixing(call: OwnCall) -> list[str]:
    """The ports at which the first image of a result has a gradient for other images: one backward pass says."""
    try:
        leaves, given = call.tried(call.part().eval())
    except Exception:  # a part may ask more of its inputs than random numbers have
        return []
    outputs = [out for out in given if isinstance(out, Tensor)]
    rows = {len(out) if out.dim() else 1 for out in outputs}
    leaves = {port: value for port, value in leaves.items() if value.dim()}
    if len(rows) != 1 or rows != {len(value) for value in leaves.values()} or rows == {1}:
        return []
    # Not the sum: that of a LayerNorm's features is the same whatever arrives.
    firsts = [out[0] * torch.linspace(1, 2, out[0].numel()).view_as(out[0]) for out in outputs if out.requires_grad]
    if not firsts or not leaves:
        return []
    gradients = torch.autograd.grad([first.sum() for first in firsts], list(leaves.values()), allow_unused=True)
    return [port for port, grad in zip(leaves, gradients, strict=True) if grad is not None and bool(grad[1:].any())]


def flattened_views(sized: SizedGraph) -> tuple[tuple[str, tuple[Given, ...]], ...]:
    """Losses of the training, with their ports, that get the views of a bag as rows and do not say that rows are meant.

    A loss over views that is written without annotations runs on rows, and gives a number that means something else.
    Losses of installed packages are written for rows: they count only where one port has more views than another.
    """
    return tuple(_flattened(sized))


def _flattened(sized: SizedGraph) -> Iterator[tuple[str, tuple[Given, ...]]]:
    leg = sized.training
    for loss in leg.leg.losses:
        signature = sized.graph.loss(loss.name).signature
        if signature.family != "plugin":
            continue
        given = tuple(
            (port, pieces[0].views, leg.shapes(source)[0])
            for port, source in loss.inputs
            if len(pieces := leg.pieces.get(source, ())) == 1
            and signature.inputs[port].axes is None
            and leg.shapes(source)
        )
        views = {number for _, number, _ in given}
        is_installed = signature.file.startswith((sys.prefix, sys.base_prefix))
        if max(views, default=1) > 1 and (len(views) > 1 or not is_installed):
            yield loss.name, given
