"""Nets with sharded weights: each process holds a slice of every tensor, its gradient and its momenta.

torch's FSDP2 gathers the weights of one block at a time, before it computes and again before its backward pass, and
sends each process its slice of the averaged gradient. The convention of gradients is that of `collectives`. Whatever
else the program does with weights goes through the functions here: elementwise work on slices needs no messages, norms
need one, and a checkpoint holds whole tensors, so that any number of processes can go on from it.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from sslgraph import collectives
from sslgraph.torch_compat import foreach_norm


def share_out(net: nn.Module, blocks: Iterable[nn.Module], *, on: torch.device) -> None:
    """Leaves every process a slice of the net's weights; `blocks` are gathered one by one, the rest at once."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    for weight in net.parameters():
        weight.data = weight.data.contiguous()  # slices are cut along the first axis of plain memory
    mesh = init_device_mesh(on.type, (dist.get_world_size(),))
    # Said of every net that puts out a view of a tensor. Parts do not change their inputs in place.
    warnings.filterwarnings("ignore", "FSDP2-wrapped module .* returned a view tensor")
    # Weights go back to slices behind every forward pass: a target has no backward pass that would free them.
    for module in (*blocks, net):
        fully_shard(module, mesh=mesh, reshard_after_forward=True)


def is_shared(value: Any) -> bool:
    """Whether a process holds only its slice of it. Imports nothing: most runs share nothing out."""
    return hasattr(value, "to_local")


def mine(value: Tensor) -> Tensor:
    """My slice of a shared tensor, which shares its memory; any other tensor itself."""
    return value.to_local() if is_shared(value) else value  # type: ignore[attr-defined]


def norms(tensors: list[Tensor], shared: list[bool] | None = None) -> Tensor:
    """The 2-norm of each whole tensor, in one message for all of them; `shared` says which are slices, if they are
    given as such. Shape [tensors].
    """
    shared = [is_shared(t) for t in tensors] if shared is None else shared
    if not tensors:
        return torch.zeros(0)
    found = torch.stack(list(foreach_norm([mine(t) for t in tensors])))
    if any(shared):
        sliced = torch.tensor(shared, device=found.device)
        found = torch.where(sliced, collectives.all_sum(found.square()).sqrt(), found)
    return found


def whole(state: Mapping[str, Any], *, everywhere: bool = False) -> dict[str, Any]:
    """A state with every shared tensor whole and on the host. All processes call it; unless `everywhere`, only the
    first one gets the numbers, tensor by tensor, so that no device ever holds them all.
    """
    found: dict[str, Any] = {}
    for name, value in state.items():
        if isinstance(value, Mapping):
            found[name] = whole(value, everywhere=everywhere)
        elif is_shared(value):
            full = value.full_tensor()
            # A copy: a view of no rows would hold the memory of all.
            found[name] = full.cpu() if everywhere or collectives.rank() == 0 else full[:0].cpu().clone()
        else:
            found[name] = value
    return found


def cut(state: Mapping[str, Any], like: Mapping[str, Any]) -> dict[str, Any]:
    """A whole state with those tensors shared out that are so in `like`; every process has the whole one."""
    return {name: cut_as(value, like[name]) if name in like else value for name, value in state.items()}


def cut_as(value: Any, like: Any) -> Any:
    """My slice of a whole tensor, as `like` is cut; the value itself where `like` is not, or has another shape."""
    if not is_shared(like) or not isinstance(value, Tensor) or value.shape != like.shape:
        return value
    from torch.distributed.tensor import distribute_tensor

    return distribute_tensor(value.to(like.device), like.device_mesh, like.placements, src_data_rank=None)
