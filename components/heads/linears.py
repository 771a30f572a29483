"""Linears: several linear classifiers on the same features (SeLa's heads)."""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component, filled
from sslgraph.ranges import Count, Several


@component(source="arXiv:1911.05371, section 3.3, multi-task labelling", rows="raw")
class Linears(nn.Module):
    """out[b, h] = features[b] W[h] + b[h]

    Settings:
        heads: classifiers.
        out: classes of each.
        dim: width of the input; filled from what arrives.
    """

    def __init__(self, *, heads: Count = 10, out: Several, dim: Count | None = None) -> None:
        super().__init__()
        self.heads = heads
        self.layer = nn.Linear(filled(dim, "dim"), heads * out)

    def forward(self, features: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch heads out"]:
        return self.layer(features).unflatten(1, (self.heads, -1))  # type: ignore[no-any-return]
