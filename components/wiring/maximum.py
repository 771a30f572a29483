"""The larger of two values, number by number."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component


@component(source="definition")
class Maximum(nn.Module):
    """out = max(one, other); the gradient goes to the larger one, to both by halves where they are equal."""

    def forward(self, one: Float[Tensor, "*shape"], other: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        return torch.maximum(one, other)
