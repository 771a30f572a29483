"""Brings shuffled rows home to the rank and the place they came from (MoCo)."""

from jaxtyping import Int64, Shaped
from torch import Tensor, nn

from sslgraph import collectives
from sslgraph.component import component

from .shuffle import order


@component(source="arXiv:1911.05722, section 3.3, shuffling BN", detached=("rows",), rows="same", reorders="back")
class Unshuffle(nn.Module):
    """The inverse of wiring.shuffle in the same step. No gradient passes."""

    def forward(
        self, rows: Shaped[Tensor, "batch *shape"], clock: Int64[Tensor, "3"]
    ) -> Shaped[Tensor, "batch *shape"]:
        home = rows.detach() if collectives.ranks() == 1 else collectives.exchange(rows, back=True)
        return home[order(clock, len(rows), collectives.rank()).argsort()]
