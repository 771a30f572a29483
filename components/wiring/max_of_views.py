"""The largest number over the views of a bag, for each number of an image."""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component


@component(source="definition; arXiv:2012.11552, section 3.2, for bags of words", title="max of views")
class MaxOfViews(nn.Module):
    """[views, batch, ...] to [batch, ...]; parts_as_views makes views of any parts, such as tokens."""

    def forward(self, bag: Float[Tensor, "views batch *shape"]) -> Float[Tensor, "batch *shape"]:
        return bag.amax(0)
