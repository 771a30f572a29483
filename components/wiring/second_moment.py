"""The products of all pairs of features of one value or of two, in a mean over the batch (TiCo, IIC's joint)."""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph import collectives
from sslgraph.component import component


@component(
    source="arXiv:2206.10698, equation 4; arXiv:1807.06653, equation 2, of two values",
    title="second moment",
    spans_batch=True,
)
class SecondMoment(nn.Module):
    """out[i, j] = mean over the global batch of  rows[n, i] others[n, j],   others = rows if left out

    The mean is not taken off. The gradient passes to the rows of all ranks. Of the class shares of two views it is how
    often the one view is of class i and the other of class j.
    """

    def forward(
        self, rows: Float[Tensor, "batch dim"], others: Float[Tensor, "batch width"] | None = None
    ) -> Float[Tensor, "dim width"]:
        products = rows.T @ (rows if others is None else others)
        return collectives.all_sum_with_gradient(products) / (len(rows) * collectives.ranks())
