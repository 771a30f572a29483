"""Puts the rows of an image after other rows of it: two sets of tokens or of negatives as one."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component

from .places import rows_or_tokens


@component(source="definition")
class Append(nn.Module):
    """[batch, n, dim] and [batch, m, dim] to [batch, n + m, dim]; a row [batch, dim] counts as one token. More than two
    by nesting.
    """

    def forward(
        self, one: Float[Tensor, "batch *some dim"], other: Float[Tensor, "batch *more dim"]
    ) -> Float[Tensor, "batch all dim"]:
        rows_or_tokens(one, other)
        return torch.cat([rows if rows.dim() > 2 else rows[:, None] for rows in (one, other)], 1)
