"""Makes the views of an image its parts again: the way back from wiring.parts_as_views."""

from jaxtyping import Shaped
from torch import Tensor, nn

from sslgraph.component import component


@component(source="definition", title="views as parts", rows="same")
class ViewsAsParts(nn.Module):
    """The bag [parts, batch, ...] to [batch, parts, ...]."""

    def forward(self, views: Shaped[Tensor, "views batch *shape"]) -> Shaped[Tensor, "batch parts *shape"]:
        return views.transpose(0, 1)
