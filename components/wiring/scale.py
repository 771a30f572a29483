"""Multiplies by a number, and adds one: 1 - x is `factor: -1, shift: 1`, also of truth values."""

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from sslgraph.component import Scalar, component


@component(source="definition", factor="factor")
class Scale(nn.Module):
    """factor * x + shift. Truth values and whole numbers become numbers.

    Settings:
        factor: no unit; 1 / temperature makes logits of cosines.
        shift: what is added.
    """

    def __init__(self, *, factor: Scalar = 1.0, shift: Scalar = 0.0) -> None:
        super().__init__()
        self.factor, self.shift = factor, shift

    def forward(self, value: Shaped[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        if not value.is_floating_point():
            value = value.to(torch.get_default_dtype())
        return value * self.factor + self.shift
