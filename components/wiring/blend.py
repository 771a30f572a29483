"""A weighted mean of two values of one shape, such as an old average and a new value (TiCo)."""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.ranges import ShareScalar


@component(source="definition")
class Blend(nn.Module):
    """share * one + (1 - share) * other.

    Settings:
        share: of the first value, from 0 to 1, no unit.
    """

    def __init__(self, *, share: ShareScalar = 0.5) -> None:
        super().__init__()
        self.share = share

    def forward(self, one: Float[Tensor, "*shape"], other: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        return self.share * one + (1 - self.share) * other
