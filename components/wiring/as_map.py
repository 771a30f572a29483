"""Lays tokens out as the cells of a map: the way back from wiring.as_tokens, and from a ViT to parts for maps."""

import math

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component


@component(source="definition", title="map", rows="same")
class AsMap(nn.Module):
    """[batch, rows * rows, dim] to [batch, dim, rows, rows], row by row."""

    def forward(self, tokens: Float[Tensor, "batch places dim"]) -> Float[Tensor, "batch dim rows columns"]:
        side = math.isqrt(tokens.shape[1])
        if side**2 != tokens.shape[1]:
            raise ValueError(
                f"{tokens.shape[1]} tokens do not lie on a square; leave a class token out (f.patches), and give all "
                "patches and not the seen ones"
            )
        return tokens.transpose(1, 2).unflatten(2, (side, side))  # type: ignore[no-any-return]
