"""Parts from elsewhere in which images see each other and that do not say so: asked by one backward pass of one image.

Most often a module of torch that was meant for [images, places, width] and got [images, width], or [places, images,
width]: it takes the images for the places of one sequence.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sslgraph.settle import real_run
from sslgraph.settle.own_calls import OwnCall, own_calls
from sslgraph.settle.sized import SizedGraph
from sslgraph.wire.graph import LossBox


def mixed_images(sized: SizedGraph, plugins: tuple[str, ...]) -> tuple[tuple[str, str, tuple[int, ...]], ...]:
    """(part, port, shape) where a row of the part's output depends on other rows of that port, in evaluation mode."""
    return tuple(
        (call.box.name, port, tuple(call.metas[port].shape))
        for call in own_calls(sized, plugins)
        if not isinstance(call.box, LossBox) and not call.box.traits.spans_batch and not call.box.traits.reorders
        for port in _mixing(call)[:1]
    )


def _mixing(call: OwnCall) -> list[str]:
    try:
        part, inputs = call.part().eval(), call.inputs()
        with torch.enable_grad(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            result = real_run.called(part, "", inputs)
    except Exception:  # a part may ask more of its inputs than random numbers have
        return []
    outputs = [out for out in (result if isinstance(result, tuple) else (result,)) if isinstance(out, Tensor)]
    rows = {len(out) if out.dim() else 1 for out in outputs}
    leaves = {port: value for port, value in inputs.items() if value.requires_grad and value.dim()}
    if len(rows) != 1 or rows != {len(value) for value in leaves.values()} or rows == {1}:
        return []
    # Not the sum: that of a LayerNorm's features is the same whatever arrives.
    firsts = [
        (out[0] * torch.linspace(1, 2, out[0].numel()).view_as(out[0])).sum() for out in outputs if out.requires_grad
    ]
    if not firsts or not leaves:
        return []
    gradients = torch.autograd.grad(firsts, list(leaves.values()), allow_unused=True)
    return [port for port, grad in zip(leaves, gradients, strict=True) if grad is not None and bool(grad[1:].any())]
