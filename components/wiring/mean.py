"""Averages over the places of an image: the tokens of a sequence, or the cells of a map."""

from jaxtyping import Float, Shaped
from torch import Tensor, nn

from sslgraph.component import component

from .places import in_a_row


@component(source="definition", places="features")
class Mean(nn.Module):
    """Tokens [batch, tokens, dim] or a map [batch, dim, rows, columns] to rows [batch, dim].

    With `where`, truth values or weights, the mean over the places that count; 0 for an image without one.
    """

    def forward(
        self, features: Float[Tensor, "batch *shape"], where: Shaped[Tensor, "batch *places"] | None = None
    ) -> Float[Tensor, "batch dim"]:
        tokens, counts = in_a_row(features, where)
        if counts is None:
            return features.mean(1) if features.dim() == 3 else features.mean((2, 3))
        weights = counts.to(tokens.dtype)[..., None]
        return (tokens * weights).sum(1) / weights.sum(1).clamp_min(1e-6)
