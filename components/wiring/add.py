"""The sum of two values of one shape, or their difference (subtract) where wiring.scale turns one round."""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component


@component(source="definition")
class Add(nn.Module):
    """one + other."""

    def forward(self, one: Float[Tensor, "*shape"], other: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        return one + other
