"""Picks the tokens that count out of all images, as rows of one table: a head then works on no others (DINOv2)."""

from typing import NamedTuple

from jaxtyping import Bool, Float
from torch import Tensor, nn

from sslgraph.component import component


class Picked(NamedTuple):
    """The tokens, image by image; the weight of each, so that a weighted mean over rows is one over images."""

    rows: Float[Tensor, "picked dim"]
    weight: Float[Tensor, "picked"]


@component(source="arXiv:2304.07193; facebookresearch/dinov2, dinov2/train/ssl_meta_arch.py (masks_weight)")
class Pick(nn.Module):
    """rows = tokens[b, n] where `where[b, n]`;   weight = tokens picked of all / (images * those of image b)

    An image of which none is picked weighs nothing, and still counts among the images.
    """

    def forward(self, tokens: Float[Tensor, "batch patches dim"], where: Bool[Tensor, "batch patches"]) -> Picked:
        weight = where / where.sum(1, keepdim=True).clamp_min(1) * where.sum() / len(where)
        return Picked(tokens[where], weight.to(tokens.dtype)[where])
