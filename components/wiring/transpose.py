"""Turns a table of pairs round: rows become columns."""

from jaxtyping import Shaped
from torch import Tensor, nn

from sslgraph.component import component


@component(source="definition")
class Transpose(nn.Module):
    """out[b, j, i] = pairs[b, i, j], so that pairs from view 1 to view 2 serve from view 2 to view 1."""

    def forward(self, pairs: Shaped[Tensor, "batch cells cells_k"]) -> Shaped[Tensor, "batch cells_k cells"]:
        return pairs.transpose(1, 2)
