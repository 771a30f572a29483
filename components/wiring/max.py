"""The largest number of each feature over the places of an image: the tokens of a sequence, or the cells of a map."""

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from sslgraph.component import component

from .places import in_a_row


@component(source="definition; arXiv:2012.11552, section 3.2, for bags of words", places="features")
class Max(nn.Module):
    """Tokens [batch, tokens, dim] or a map [batch, dim, rows, columns] to rows [batch, dim].

    With `where` over the places that count; 0 for an image without one. The gradient goes to the largest alone.
    """

    def forward(
        self, features: Float[Tensor, "batch *shape"], where: Shaped[Tensor, "batch *places"] | None = None
    ) -> Float[Tensor, "batch dim"]:
        tokens, counts = in_a_row(features, where)
        if counts is None:
            return tokens.amax(1)
        counts = counts.bool()[..., None]
        return tokens.masked_fill(~counts, -torch.inf).amax(1).where(counts.any(1), tokens.new_tensor(0.0))
