"""A function of each number, such as a logarithm (FroSSL takes it of a norm) or a sigmoid."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from sslgraph.component import component
from sslgraph.ranges import Positive

FUNCTIONS = {
    "abs": torch.abs,
    "exp": torch.exp,
    "log": torch.log,
    "log_sigmoid": functional.logsigmoid,
    "reciprocal": torch.reciprocal,
    "sigmoid": torch.sigmoid,
    "sin": torch.sin,
    "softplus": functional.softplus,
    "sqrt": torch.sqrt,
    "square": torch.square,
}


@component(source="definition", float32=True)
class Apply(nn.Module):
    """out = function(x), number by number, in float32.

    Settings:
        function: what is taken of each number; reciprocal is 1 / x, log the natural one, softplus log(1 + exp(x)).
        floor: log and sqrt count smaller numbers as this one, and reciprocal those nearer to 0 as this one with their
            sign, so that their gradient stays finite.
    """

    def __init__(
        self,
        *,
        function: Literal[
            "abs", "exp", "log", "log_sigmoid", "reciprocal", "sigmoid", "sin", "softplus", "sqrt", "square"
        ],
        floor: Positive = 1e-12,
    ) -> None:
        super().__init__()
        self.function = function
        self.floor = floor

    def forward(self, value: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        if self.function in ("log", "sqrt"):
            value = value.clamp_min(self.floor)
        if self.function == "reciprocal":
            value = torch.where(value < 0, value.clamp_max(-self.floor), value.clamp_min(self.floor))
        return FUNCTIONS[self.function](value)
