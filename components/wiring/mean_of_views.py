"""The mean over the views of a bag: one value of each image (FastSiam's target, MMCR's centroid)."""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component


@component(source="definition; arXiv:2211.05674, section 3; arXiv:2303.03307, section 3", title="mean of views")
class MeanOfViews(nn.Module):
    """[views, batch, ...] to [batch, ...]."""

    def forward(self, bag: Float[Tensor, "views batch *shape"]) -> Float[Tensor, "batch *shape"]:
        return bag.mean(0)
