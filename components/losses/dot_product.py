"""Dot product: a value is to keep away from the direction of another one (TiCo's covariance contrast)."""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component


@component(
    source="arXiv:2206.10698, equation 5",
    title="dot product",
    kind="dot product",
    repels="features",
    multiplies=("rows", "other"),
)
class DotProduct(nn.Module):
    """loss = mean over the batch of  rows[n] . other[n]

    With `other` = C rows, where C is the second moment of the rows, it is TiCo's penalty of directions that many
    images share. The weight stands at the loss.
    """

    def forward(self, rows: Float[Tensor, "batch dim"], other: Float[Tensor, "batch dim"]) -> Float[Tensor, ""]:
        return (rows * other).sum(1).mean()
