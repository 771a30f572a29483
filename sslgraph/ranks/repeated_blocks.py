"""The repeated blocks of a net: gathered together when weights are sharded, or recomputed."""

from __future__ import annotations

from functools import partial

from torch import nn
from torch.utils.checkpoint import checkpoint

from sslgraph.errors import SslgraphError
from sslgraph.torch_compat import BatchNorm


def blocks(net: nn.Module) -> list[nn.Module]:
    """The layers of a transformer, the residual blocks of a ResNet: items of one class in a list or a sequence.

    Only what has parts of its own counts, and nothing inside another block does.
    """
    found: list[nn.Module] = []
    for child in net.children():
        items = list(child.children()) if isinstance(child, nn.ModuleList | nn.Sequential) else []
        alike = len({type(item) for item in items}) == 1
        found += items if alike and any(True for _ in items[0].children()) else blocks(child)
    return found


def recompute(name: str, net: nn.Module) -> None:
    """Keeps only the inputs of the net's blocks for the backward pass, which computes the rest once more.

    Numbers stay as they are. Refused where a block writes while it computes: it would write twice.
    """
    found = blocks(net)
    if not found:
        raise SslgraphError(f"'{name}' repeats no blocks, so there is nothing to compute once more")
    for block in found:
        if any(isinstance(layer, BatchNorm) for layer in block.modules()):
            raise SslgraphError(
                f"the blocks of '{name}' hold BatchNorm, whose running statistics would be written twice; "
                "recompute nets with LayerNorm, or take smaller pieces with accumulate:"
            )
        block.forward = partial(checkpoint, block.forward, use_reentrant=False)
