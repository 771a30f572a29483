"""Dot products inside each image, sums over features: of rows, of a row and tokens, of tokens (attention's)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.ranges import PositiveScalar

from .places import rows_or_tokens


@component(
    source="definition; arXiv:1706.03762, equation 1, the scores of attention",
    multiplies=("one", "other"),
    sane={"temperature": (0.01, 1.0)},
)
class Dot(nn.Module):
    """out[b, i, j] = one[b, i] . other[b, j] / temperature

    A row [batch, dim] has no i (no j): two of them give [batch], a row and tokens [batch, tokens]. Of unit rows they
    are cosines. weighted_means(v, transpose(softmax(dot(q, k)))) is attention. wiring.similarity compares images.

    Settings:
        temperature: divides the products, no unit; attention's is the root of the width.
    """

    def __init__(self, *, temperature: PositiveScalar = 1.0) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(
        self, one: Float[Tensor, "batch *some dim"], other: Float[Tensor, "batch *more dim"]
    ) -> Float[Tensor, "batch *pairs"]:
        rows_or_tokens(one, other)
        some, more = ("ij"[: one.dim() - 2], "kl"[: other.dim() - 2])
        return torch.einsum(f"b{some}d,b{more}d->b{some}{more}", one, other) / self.temperature
