"""Hue, chroma and value: an image taken apart into its grey and two colours that need no white (colorization)."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component


class HcvImage(NamedTuple):
    """The mean of red, green and blue; the hue in turns, from 0 (red) to 1; the chroma, greatest less least channel."""

    grey: Float[Tensor, "batch 1 height width"]
    hue: Float[Tensor, "batch 1 height width"]
    chroma: Float[Tensor, "batch 1 height width"]


@component(source="arXiv:1603.06668, section 3.1", title="RGB to grey, hue, chroma", shows="grey")
class Hcv(nn.Module):
    """grey = (r + g + b) / 3,  chroma = max - min,  hue of HSV (0 where the chroma is 0); images in 0..1."""

    def forward(self, images: Float[Tensor, "batch 3 height width"]) -> HcvImage:
        red, green, blue = images[:, :1], images[:, 1:2], images[:, 2:]
        value, least = images.amax(1, keepdim=True), images.amin(1, keepdim=True)
        chroma = value - least
        safe = torch.where(chroma > 0, chroma, torch.ones_like(chroma))
        sixths = torch.where(
            value == red,
            (green - blue) / safe,
            torch.where(value == green, 2 + (blue - red) / safe, 4 + (red - green) / safe),
        )
        return HcvImage(images.mean(1, keepdim=True), (sixths / 6).remainder(1), chroma)


def from_hcv(
    grey: Float[Tensor, "batch 1 height width"],
    hue: Float[Tensor, "batch 1 height width"],
    chroma: Float[Tensor, "batch 1 height width"],
) -> Float[Tensor, "batch 3 height width"]:
    """The way back, clipped to 0..1: channels of this hue whose greatest and least are chroma apart, with this mean."""
    sector = (6 * hue + torch.tensor([5.0, 3.0, 1.0], device=hue.device).view(1, 3, 1, 1)).remainder(6)
    drop = chroma * torch.minimum(sector, 4 - sector).clamp(0, 1)
    return (grey + drop.mean(1, keepdim=True) - drop).clamp(0, 1)
