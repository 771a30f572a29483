"""Runs one training step on tensors without storage: what it computes, keeps and sends, without a GPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from sslgraph import collectives
from sslgraph.checked import sized_graph, wired
from sslgraph.collectives import Message
from sslgraph.compile.compile import CompiledMethod
from sslgraph.errors import SslgraphError
from sslgraph.ranks.repeated_blocks import blocks, recompute
from sslgraph.read.loaded import Loaded
from sslgraph.read.spec import Method
from sslgraph.schedules import Clock
from sslgraph.torch_compat import storage_of, without_storage

from ..machine.chosen_forms import convolves
from ..machine.strategy import shared

POINTS = (2, 4, 8)  # images of the micro-batches that are rehearsed; BatchNorm needs two


@dataclass(frozen=True)
class Rehearsal:
    """A step of `images` on each of `ranks` processes.

    `flops` counts multiplications and additions apiece: twice the multiply-adds that papers print. `kept` is what the
    forward pass keeps for the backward one, bytes; `views` the images themselves.
    """

    images: int
    ranks: int
    flops: int
    kept: int
    views: int
    trained: int
    followed: int
    state: int
    messages: tuple[Message, ...]
    shared: int = 0  # numbers that fsdp shares out, of those trained
    shared_targets: int = 0  # and of those followed
    gathered: int = 0  # numbers that fsdp gathers in forward and backward, each as often as it does
    together: int = 0  # of them the most that are whole at once
    convolves: bool = True  # else its nets are transformers


def rehearse(
    loaded: Loaded[Method], *, images: int, ranks: int = 1, dataset: int = 1_281_167,
    precision: torch.dtype = torch.bfloat16, plugins: tuple[str, ...] = (), recomputed: Sequence[str] = (),
) -> Rehearsal:  # fmt: skip
    """Runs forward and backward of `images` on the first of `ranks` pretended processes, and the writes to state."""
    graph = wired(loaded, plugins)
    sized = sized_graph(graph, loaded, batch=images, dataset=dataset, plugins=plugins)
    if sized.needs_numbers:
        names = ", ".join(f"'{name}' ({graph.boxes[name].use})" for name in sized.needs_numbers)
        raise SslgraphError(
            f"a plan runs every part on tensors without numbers, and {names} can't run on them; "
            "write it without operations that look at numbers, such as torch.cov, .item() and nonzero"
        )
    with collectives.rehearsed(ranks), torch.device("meta"):
        method = CompiledMethod(sized, plugins=plugins)
    clock = Clock(100, 1000)
    # Fakes of a processor, not of the device meta: only these are cast as autocast casts.
    with without_storage(), collectives.rehearsed(ranks) as messages:
        method.to_empty(device="cpu")
        for name in recomputed:
            recompute(name, method.parts[name])
        batch = _batch(method)
        own = {storage_of(p) for p in method.parameters()}
        kept: dict[int, int] = {}
        method.begin(0, clock)
        with FlopCounterMode(display=False) as counter:
            with _noting(kept), torch.autocast("cpu", precision, enabled=precision != torch.float32):
                losses, writes = method(batch)
            players = method.player_losses(losses)
            for number, (total, parameters) in enumerate(players, 1):
                torch.autograd.backward(total, inputs=parameters, retain_graph=number < len(players))
        method.tick(writes)
    return Rehearsal(
        images=images,
        ranks=ranks,
        flops=counter.get_total_flops(),
        kept=sum(size for storage, size in kept.items() if storage not in own),
        views=sum(value.numel() * value.element_size() for value in batch.values()),
        trained=sum(p.numel() for p in method.parameters() if p.requires_grad),
        followed=sum(p.numel() for p in method.parameters() if not p.requires_grad),
        state=sum(b.numel() * b.element_size() for b in method.buffers()),
        messages=tuple(messages),
        convolves=convolves(method.parts.values()),
        **_sharing(method),
    )


def _sharing(method: CompiledMethod) -> dict[str, int]:
    """What fsdp would do: a net is gathered for each call, and once more for the call's backward pass."""
    found = {"shared": 0, "shared_targets": 0, "gathered": 0, "together": 0}
    leg = method.sized.training
    for name in shared(method):
        net = method.parts[name]
        count, is_trained = _count(net), name in method.net_names
        calls = sum(step.kind == "call" and step.target == name for step in leg.steps)
        found["shared" if is_trained else "shared_targets"] += count
        found["gathered"] += count * calls * (2 if is_trained else 1)
        inner = [_count(block) for block in blocks(net)]
        found["together"] = max(found["together"], *inner, count - sum(inner))
    return found


def _count(net: torch.nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def _batch(method: CompiledMethod) -> Mapping[str, Tensor]:
    leg = method.sized.training
    metas = {step.target: leg.tensors[step.name] for step in leg.steps if step.kind == "input"}
    return {name: torch.empty(meta.shape, dtype=meta.dtype) for name, meta in metas.items()}


def _noting(kept: dict[int, int]) -> Any:
    """Notes every storage that autograd keeps, once."""

    def keep(value: Tensor) -> Tensor:
        kept[storage_of(value)] = value.untyped_storage().nbytes()
        return value

    return torch.autograd.graph.saved_tensors_hooks(keep, lambda value: value)
