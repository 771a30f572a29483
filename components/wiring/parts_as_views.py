"""Makes the parts of an image views, so that a loss of views compares each part over the images (VICRegL)."""

from jaxtyping import Shaped
from torch import Tensor, nn

from sslgraph.component import component


@component(source="facebookresearch/VICRegL, main_vicregl.py (_vicreg_loss)", title="parts as views", rows="same")
class PartsAsViews(nn.Module):
    """[batch, parts, ...] to the bag [parts, batch, ...]."""

    def forward(self, parts: Shaped[Tensor, "batch parts *shape"]) -> Shaped[Tensor, "views_of_parts batch *shape"]:
        return parts.transpose(0, 1)
