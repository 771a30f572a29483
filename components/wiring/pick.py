"""Picks the tokens that count out of all images, as rows of one table: a head then works on no others (DINOv2)."""

from typing import NamedTuple

import torch
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
        # In the precision of losses, not in that of autocast: the weights of ranks are to add up to those of one.
        counts = where.to(torch.promote_types(tokens.dtype, torch.float32))
        weight = counts / counts.sum(1, keepdim=True).clamp_min(1) * (counts.sum() / len(where))
        return Picked(tokens[where], weight[where])
