"""Deals the images out anew over the ranks, so that BatchNorm cannot tell which key belongs to a query (MoCo)."""

import torch
from jaxtyping import Int64, Shaped
from torch import Tensor, nn

from sslgraph import collectives, draws
from sslgraph.component import component


@component(source="arXiv:1911.05722, section 3.3, shuffling BN", detached=("rows",))
class Shuffle(nn.Module):
    """Gathers the rows of all ranks, puts them in an order drawn for this step, and keeps this rank's share.

    wiring.unshuffle puts them back. No gradient passes. With one rank the batch is the same in any order, and stays.
    """

    def forward(
        self, rows: Shaped[Tensor, "batch *shape"], clock: Int64[Tensor, "3"]
    ) -> Shaped[Tensor, "batch *shape"]:
        if collectives.ranks() == 1:
            return rows.detach()
        return mine(collectives.gather(rows)[order(clock, len(rows) * collectives.ranks())])


def order(clock: Tensor, rows: int) -> Tensor:
    """The order of all ranks' rows, a function of (seed, epoch, step) alone."""
    stream = torch.full_like(clock[:1], draws.stream_of("shuffle"))
    return draws.permutation(torch.cat([clock, stream])[None], rows)[0]


def mine(rows: Tensor) -> Tensor:
    """This rank's share of all ranks' rows."""
    return rows.chunk(collectives.ranks())[collectives.rank()]
