"""Spreads a method's weights and gradients over processes, and chooses blocks that are recomputed."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from sslgraph import collectives
from sslgraph.compile.compile import CompiledMethod
from sslgraph.ranks.repeated_blocks import blocks, recompute
from sslgraph.ranks.sharding import share_out
from sslgraph.read.spec import Recipe
from sslgraph.torch_compat import SENDS_NO_BUFFERS


def spread(method: CompiledMethod, recipe: Recipe, on: torch.device) -> nn.Module:
    """What the loop calls: the method, or DDP around it. Alone, `strategy` changes nothing.

    fsdp shares out every net and target; DDP is for one player on GPUs. Else the optimizer averages gradients; weights
    start equal because their seed is. On processors DDP refuses networks whose BatchNorm spans the ranks.
    """
    for name in recipe.recompute:
        recompute(name, method.parts[name])
    if collectives.ranks() == 1:
        return method
    if recipe.strategy == "fsdp":
        for name in shared(method):
            share_out(method.parts[name], blocks(method.parts[name]), on=on)
        return method
    if len(method.players) > 1 or on.type == "cpu":
        return method
    has_phases = len(method.programs) > 1
    return distributed(method, accumulate=recipe.accumulate, has_phases=has_phases, device=on)


def shared(method: CompiledMethod) -> list[str]:
    """The nets and targets that fsdp shares out: those with weights that no write of the method changes.

    What is written as a whole (prototypes brought to unit length, heads made anew) stays whole on every process.
    """
    written = {write.write.box for leg in method.sized.legs for write in leg.writes}
    written |= {write.write.box for leg in method.sized.legs if leg.then for write in leg.then.writes}
    names = (*method.net_names, *method.target_names)
    return [name for name in names if name not in written and any(True for _ in method.parts[name].parameters())]


def distributed(method: nn.Module, *, accumulate: int, has_phases: bool, device: torch.device) -> nn.Module:
    """A method of one player inside DDP: gradients travel while the backward pass still runs.

    A graph that is the same at every step lets DDP plan its messages; accumulation and phases break that promise.
    """
    is_static = accumulate == 1 and not has_phases
    return DistributedDataParallel(
        method,
        device_ids=[device.index] if device.type == "cuda" else None,
        gradient_as_bucket_view=True,
        static_graph=is_static,
        find_unused_parameters=not is_static,
        **SENDS_NO_BUFFERS,
    )
