"""Puts the features of two parts side by side."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component


@component(source="definition")
class Concat(nn.Module):
    """[one, other] along the last axis; more than two by nesting: concat(concat(a, b), c)."""

    def forward(
        self, one: Float[Tensor, "*places dim_one"], other: Float[Tensor, "*places dim_other"]
    ) -> Float[Tensor, "*places dim"]:
        return torch.cat([one, other], -1)
