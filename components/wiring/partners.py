"""What the partner of each image has, from the global batch (Un-Mix)."""

from jaxtyping import Float, Int64
from torch import Tensor, nn

from sslgraph import collectives
from sslgraph.component import component


@component(source="arXiv:2003.05438, Algorithm 1", spans_batch=True)
class Partners(nn.Module):
    """rows[partner], where partner[i] is a place in the global batch, as wiring.mix gives it. Gradient passes."""

    def forward(
        self, rows: Float[Tensor, "batch *shape"], partner: Int64[Tensor, "batch"]
    ) -> Float[Tensor, "batch *shape"]:
        return collectives.gather_with_gradient(rows)[partner]
