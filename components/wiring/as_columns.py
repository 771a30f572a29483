"""The columns of a batch as rows: of each feature, or each cluster, what all images have (contrastive clustering)."""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph import collectives
from sslgraph.component import component


@component(source="arXiv:2009.09687, equation 4", spans_batch=True)
class AsColumns(nn.Module):
    """out[v, k, n] = rows[v, n, k],   n over the images of all ranks

    The views of a bag stay apart. The result is the same on all ranks, so losses.nt_xent compares its rows with
    `negatives: rank`, and everyone(...) is not needed. The gradient returns to the rank that a number came from.
    """

    def forward(self, rows: Float[Tensor, "views batch dim"]) -> Float[Tensor, "views dim images"]:
        return collectives.gather_with_gradient(rows.transpose(0, 1).contiguous()).permute(1, 2, 0)
