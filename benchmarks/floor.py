"""The least time that the convolutions and products of a step can take on a device: its roofline.

Each of them is bound by arithmetic or by memory, whichever is slower: operations over the rate of the best product, or
bytes (each input read once, each output written once) over the rate of a copy. Everything between them (norms,
activations, optimizer) is counted as free, as if it were fused into them, so no step can reach the floor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry


class Floor(TorchDispatchMode):
    """Adds up the floor of what runs within it. `flops` and `bytes` a second are the device's own."""

    def __init__(self, flops: float, bytes_: float) -> None:
        super().__init__()
        self.flops, self.bytes = flops, bytes_
        self.seconds = 0.0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if (count := flop_registry.get(func.overloadpacket)) is not None:
            moved = sum(t.numel() * t.element_size() for t in tree_leaves((args, kwargs, out)) if isinstance(t, Tensor))
            done = count(*args, **(kwargs or {}), out_val=out)
            self.seconds += max(done / self.flops, moved / self.bytes)
        return out


def floor(work: Callable[[], object], flops: float, bytes_: float) -> float:
    """Seconds that the convolutions and products of one piece of work take at least."""
    with Floor(flops, bytes_) as found:
        work()
    return found.seconds
