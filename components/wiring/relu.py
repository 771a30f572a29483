"""Keeps what is above 0: counts, for example, which are not negative."""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component


@component(source="definition", title="ReLU")
class ReLU(nn.Module):
    """max(x, 0)."""

    def forward(self, value: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        return value.relu()
