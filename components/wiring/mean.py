"""Averages over the places of an image: the tokens of a sequence, or the cells of a map."""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component


@component(source="definition")
class Mean(nn.Module):
    """Tokens [batch, tokens, dim] or a map [batch, dim, rows, columns] to rows [batch, dim]."""

    def forward(self, features: Float[Tensor, "batch *shape"]) -> Float[Tensor, "batch dim"]:
        if features.dim() not in (3, 4):
            raise ValueError(
                "wiring.mean averages tokens [batch, tokens, dim] or a map [batch, dim, rows, columns], "
                f"and it was given {features.dim()} axes"
            )
        return features.mean(1) if features.dim() == 3 else features.mean((2, 3))
