"""Turns a matrix, or a table of pairs of each image, round: rows become columns."""

from jaxtyping import Shaped
from torch import Tensor, nn

from sslgraph.component import component


@component(source="definition")
class Transpose(nn.Module):
    """out[b, j, i] = pairs[b, i, j], so that pairs from view 1 to view 2 serve from view 2 to view 1.

    A matrix has no b.
    """

    def forward(self, pairs: Shaped[Tensor, "*images cells cells_k"]) -> Shaped[Tensor, "*images cells_k cells"]:
        return pairs.mT
