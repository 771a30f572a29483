"""Makes the cells of a map, or one row of an image, tokens, so that parts for tokens take them, too."""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component


@component(source="definition", title="tokens", rows="same")
class AsTokens(nn.Module):
    """[batch, dim, rows, columns] to [batch, rows * columns, dim], row by row; [batch, dim] to [batch, 1, dim]."""

    def forward(self, map: Float[Tensor, "batch dim *cells"]) -> Float[Tensor, "batch places dim"]:
        if map.dim() not in (2, 4):
            raise ValueError(
                "it takes a map [batch, dim, rows, columns] or a row [batch, dim], "
                f"and one of shape {list(map.shape)} is given; tokens are read without it"
            )
        return map.flatten(2).transpose(1, 2) if map.dim() > 2 else map[:, None]
