"""The mean of a map inside each region of a label map (DetCon)."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.ranges import Count


class Regions(NamedTuple):
    """A row for each region, and which of them the image has."""

    rows: Float[Tensor, "batch regions dim"]
    where: Bool[Tensor, "batch regions"]


@component(source="arXiv:2103.10957, section 3", detached=("labels",), float32=True, uneven=True)
class RegionMeans(nn.Module):
    """rows[b, k] = sum over cells of  share[b, k, cell] map[b, :, cell] / sum over cells of share[b, k, cell]

    share is how many pixels of the cell have the label k. Labels are whole numbers for each pixel of the view, as
    `x.map` has them; those below 0 or from `count` on belong to no region. A region that the image does not have is a
    row of zeros, and `where` is false there. wiring.fold makes rows of both, for a loss with a port `where`.

    Settings:
        count: regions: the labels 0 to count - 1.
    """

    def __init__(self, *, count: Count) -> None:
        super().__init__()
        self.count = count

    def forward(
        self, map: Float[Tensor, "batch dim rows columns"], labels: Int64[Tensor, "batch height width"]
    ) -> Regions:
        (rows, columns), (height, width) = map.shape[2:], labels.shape[1:]
        down = torch.arange(height, device=map.device) * rows // height
        across = torch.arange(width, device=map.device) * columns // width
        cell = down[:, None] * columns + across
        is_of_one = (labels >= 0) & (labels < self.count)
        place = labels.clamp(0, self.count - 1) * rows * columns + cell
        share = map.new_zeros(len(map), self.count * rows * columns)
        share = share.scatter_add(1, place.flatten(1), is_of_one.flatten(1).to(map.dtype)).unflatten(
            1, (self.count, -1)
        )
        pixels = share.sum(2)
        return Regions(share @ map.flatten(2).transpose(1, 2) / pixels.clamp_min(1)[..., None], pixels > 0)
