"""Gaussian noise on rows: SynCo's negatives with noise, features that are to withstand it."""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph import draws
from sslgraph.component import component
from sslgraph.draws import Draw
from sslgraph.ranges import NotNegativeScalar


@component(source="arXiv:2410.02401, section 3.2", title="Gaussian noise")
class GaussianNoise(nn.Module):
    """out = rows + scale * n,   n ~ N(0, 1) for each number of each image

    An image draws for itself, so that its noise is the same on any number of ranks. The gradient passes. A row of unit
    length has another length afterwards.

    Settings:
        scale: the standard deviation, in units of the rows.
    """

    def __init__(self, *, scale: NotNegativeScalar = 0.01) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, rows: Float[Tensor, "batch *shape"], draw: Draw) -> Float[Tensor, "batch *shape"]:
        # Rounded to float32 first: logarithm and cosine differ in their last bits from processor to processor.
        drawn = draws.normal(draw, rows[0].numel()).float().view_as(rows)
        return rows + self.scale * drawn.to(rows.dtype)
