"""Deals the images out anew over the ranks, so that BatchNorm cannot tell which key belongs to a query (MoCo)."""

import torch
from jaxtyping import Int64, Shaped
from torch import Tensor, nn

from sslgraph import collectives, draws
from sslgraph.component import component


@component(source="arXiv:1911.05722, section 3.3, shuffling BN", detached=("rows",), rows="same", reorders="away")
class Shuffle(nn.Module):
    """Each rank deals its rows out to all ranks, evenly and in an order of its own that is drawn for this step.

    Only what a rank is dealt travels to it. wiring.unshuffle puts the rows back. No gradient passes. On one rank the
    order alone changes, which matters to nets with `norm_splits`.
    """

    def forward(
        self, rows: Shaped[Tensor, "batch *shape"], clock: Int64[Tensor, "3"]
    ) -> Shaped[Tensor, "batch *shape"]:
        dealt = rows.detach()[order(clock, len(rows), collectives.rank())]
        return dealt if collectives.ranks() == 1 else collectives.exchange(dealt)


def order(clock: Tensor, rows: int, rank: int) -> Tensor:
    """The order of a rank's rows, a function of (seed, epoch, step) and the rank alone."""
    stream = torch.full_like(clock[:1], draws.stream_of(f"shuffle {rank}"))
    return draws.permutation(torch.cat([clock, stream])[None], rows)[0]
