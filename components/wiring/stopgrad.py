"""Lets the value through and stops the gradient."""

from jaxtyping import Shaped
from torch import Tensor, nn

from sslgraph.component import component


@component(source="definition", detached=("value",), rows="same")
class Stopgrad(nn.Module):
    """sg(x) = x, with gradient zero."""

    def forward(self, value: Shaped[Tensor, "*shape"]) -> Shaped[Tensor, "*shape"]:
        return value.detach()
