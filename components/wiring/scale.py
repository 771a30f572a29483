"""Multiplies by a number."""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import Scalar, component


@component(source="definition")
class Scale(nn.Module):
    """factor * x.

    Settings:
        factor: no unit; 1 / temperature makes logits of cosines.
    """

    def __init__(self, *, factor: Scalar = 1.0) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, value: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        return value * self.factor
