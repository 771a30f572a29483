"""Pixel propagation (PixPro): each place takes over the features of the places that look like it."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import normalize

from sslgraph.component import component, filled
from sslgraph.ranges import Count, NotNegative

from .conv_mlp import ConvMLP


@component(source="arXiv:2011.10043, equations 3 and 4")
class PixelPropagation(nn.Module):
    """A smoothed map: every place is the sum of all places' values, weighted by similarity.

        y[i] = unit( sum_j max(cos(x[i], x[j]), 0)^gamma unit(g(x[j])) )

    i and j run over the places of one map, j = i included. g is the only trained part, and stands on the online side
    only, where a predictor would.

    Settings:
        gamma: exponent of the similarity, no unit.
        layers: of g: 0 the identity, 1 a linear layer, 2 a perceptron with BatchNorm, as wide as its input.
        dim: channels of the map; filled from what arrives.
    """

    def __init__(self, *, gamma: NotNegative = 2.0, layers: Literal[0, 1, 2] = 1, dim: Count | None = None) -> None:
        super().__init__()
        dim = filled(dim, "dim")
        self.gamma = gamma
        if layers == 2:
            self.value: nn.Module = ConvMLP(hidden=dim, out=dim, dim=dim)
        else:
            self.value = nn.Conv2d(dim, dim, 1) if layers == 1 else nn.Identity()

    def forward(self, map: Float[Tensor, "batch dim rows columns"]) -> Float[Tensor, "batch dim rows columns"]:
        value = normalize(self.value(map), dim=1).flatten(2)
        place = normalize(map, dim=1).flatten(2)
        # Below 1 the power has an infinite slope at 0.
        similarity = (place.transpose(1, 2) @ place).clamp_min(1e-6 if self.gamma < 1 else 0.0).pow(self.gamma)
        smooth: Tensor = normalize(value @ similarity, dim=1).unflatten(2, map.shape[2:])
        return smooth
