"""Draws points of an image, where a dense task is asked for instead of everywhere (colorization by hypercolumns)."""

from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.draws import Draw, integers, substream
from sslgraph.ranges import Count


@component(source="arXiv:1603.06668, section 3.2 (sparse training)")
class Points(nn.Module):
    """[batch, count, 2]: row and column of pixel centres, as fractions of the sides; uniform, with replacement.

    Settings:
        count: points in each image.
        margin: fraction of a side next to each edge where no point lies: nets see padding there.
    """

    def __init__(self, *, count: Count = 128, margin: Annotated[float, Field(ge=0, lt=0.5)] = 0.27) -> None:
        super().__init__()
        self.count = count
        self.margin = margin

    def forward(
        self, images: Float[Tensor, "batch channels height width"], draw: Draw
    ) -> Float[Tensor, "batch count 2"]:
        places = []
        for number, side in enumerate(images.shape[2:]):
            edge = min(round(self.margin * side), (side - 1) // 2)
            pixel = edge + integers(substream(draw, number), self.count, side - 2 * edge)
            places.append((pixel + 0.5) / side)
        return torch.stack(places, 2).to(images.dtype)
