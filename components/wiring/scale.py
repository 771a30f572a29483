"""Multiplies by a number, and adds one: 1 - x is `factor: -1, shift: 1`."""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import Scalar, component


@component(source="definition")
class Scale(nn.Module):
    """factor * x + shift.

    Settings:
        factor: no unit; 1 / temperature makes logits of cosines.
        shift: what is added.
    """

    def __init__(self, *, factor: Scalar = 1.0, shift: Scalar = 0.0) -> None:
        super().__init__()
        self.factor, self.shift = factor, shift

    def forward(self, value: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        return value * self.factor + self.shift
