"""Makes the cells of a map tokens, so that parts for tokens take a convolutional network, too."""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component


@component(source="definition", title="tokens", rows="same")
class AsTokens(nn.Module):
    """[batch, dim, rows, columns] to [batch, rows * columns, dim], row by row."""

    def forward(self, map: Float[Tensor, "batch dim rows columns"]) -> Float[Tensor, "batch places dim"]:
        return map.flatten(2).transpose(1, 2)
