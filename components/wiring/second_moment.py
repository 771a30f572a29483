"""The products of all pairs of features, in a mean over the batch (TiCo's covariance)."""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph import collectives
from sslgraph.component import component


@component(source="arXiv:2206.10698, equation 4", title="second moment", spans_batch=True)
class SecondMoment(nn.Module):
    """out[i, j] = mean over the global batch of  rows[n, i] rows[n, j]

    The mean is not taken off. The gradient passes to the rows of all ranks.
    """

    def forward(self, rows: Float[Tensor, "batch dim"]) -> Float[Tensor, "dim dim"]:
        return collectives.all_sum_with_gradient(rows.T @ rows) / (len(rows) * collectives.ranks())
