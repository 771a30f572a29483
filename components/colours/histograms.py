"""Histograms of hue and chroma around points: what colorization by hypercolumns predicts."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import one_hot

from sslgraph.component import component
from sslgraph.ranges import Odd, Several

from .bins import refuse_grey
from .hcv import from_hcv

FULL = 0.96  # length of the mean of hues from which a colour is not faded: 32 bins of .03, as the authors have it


class Histograms(NamedTuple):
    """Shares of hues and chromas around each point, and what each counts: grey has no hue, black no colour."""

    hue: Float[Tensor, "batch points bins"]
    chroma: Float[Tensor, "batch points bins"]
    hue_weight: Float[Tensor, "batch points"]
    chroma_weight: Float[Tensor, "batch points"]


@component(source="arXiv:1603.06668, section 3.1; gustavla/autocolorize", title="colour histograms")
class ColourHistograms(nn.Module):
    """Shares of `bins` equal bins of 0..1 in a window around each point, each pixel in one bin.

        hue_weight = chroma of the point's pixel,     chroma_weight = 3 min(grey, 1/3, 1 - grey)

    A window at the edge of the image is moved inside. Points are fractions of the sides, as patches.points gives them.

    Settings:
        bins: of hue and of chroma (the papers 32; the authors' later code 8).
        window: side of the window in pixels.
    """

    def __init__(self, *, bins: Several = 32, window: Odd = 7) -> None:
        super().__init__()
        self.bins = bins
        self.window = window

    def suits(self, images: list[Tensor]) -> None:
        """Refuses a data set whose images are all grey."""
        refuse_grey(images, "colours.histograms")

    def pictures(
        self,
        image: Float[Tensor, "batch 3 height width"],
        points: Float[Tensor, "batch points 2"],
        told_hue: Float[Tensor, "batch points bins"],
        told_chroma: Float[Tensor, "batch points bins"],
    ) -> dict[str, Tensor]:
        """The image, its grey, and that with the colour of the nearest point (section 3.3).

        A point's chroma is the median of what is told, its hue the circular mean, faded where hues disagree.
        """
        grey = image.mean(1, keepdim=True)
        middles = (torch.arange(self.bins, device=image.device) + 0.5) / self.bins
        hues = told_hue.float().softmax(-1)
        sine, cosine = (hues @ of(2 * torch.pi * middles) for of in (torch.sin, torch.cos))
        is_half = told_chroma.float().softmax(-1).cumsum(-1) >= 0.5
        chroma = middles[is_half.float().argmax(-1)] * (torch.hypot(sine, cosine) / FULL).clamp(max=1)
        nearest = _nearest(points, image.shape[2], image.shape[3])
        told = [of.gather(1, nearest).view_as(grey) for of in (torch.atan2(sine, cosine) / (2 * torch.pi), chroma)]
        return {"image": image, "seen": grey.expand_as(image), "painted": from_hcv(grey, *told)}

    def forward(
        self,
        grey: Float[Tensor, "batch 1 height width"],
        hue: Float[Tensor, "batch 1 height width"],
        chroma: Float[Tensor, "batch 1 height width"],
        points: Float[Tensor, "batch points 2"],
    ) -> Histograms:
        if min(grey.shape[2:]) < self.window:
            size = f"{grey.shape[2]} x {grey.shape[3]}"
            raise ValueError(f"a window of {self.window} pixels does not fit an image of {size}; set window")
        rows, columns = ((points[..., axis] * grey.shape[2 + axis]).long() for axis in (0, 1))
        hues, chromas = (self._shares(of[:, 0], rows, columns) for of in (hue, chroma))
        image = torch.arange(len(grey), device=grey.device)[:, None]
        light = grey[image, 0, rows, columns]
        weight = 3 * torch.minimum(light, 1 - light).clamp(0, 1 / 3)
        return Histograms(hues, chromas, chroma[image, 0, rows, columns], weight)

    def _shares(self, values: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        """Of the bins, in the window around each point; [batch, points, bins]."""
        reach = self.window // 2
        step = torch.arange(-reach, reach + 1, device=values.device)
        rows = rows.clamp(reach, values.shape[1] - 1 - reach)[..., None, None] + step[:, None]
        columns = columns.clamp(reach, values.shape[2] - 1 - reach)[..., None, None] + step
        image = torch.arange(len(values), device=values.device)[:, None, None, None]
        bins = (values[image, rows, columns] * self.bins).long().clamp(0, self.bins - 1)
        return one_hot(bins.flatten(2), self.bins).to(values.dtype).mean(2)


def _nearest(points: Tensor, height: int, width: int) -> Tensor:
    """The number of the point nearest to each pixel, [batch, pixels]."""
    rows, columns = ((torch.arange(side, device=points.device) + 0.5) / side for side in (height, width))
    places = torch.stack(torch.meshgrid(rows, columns, indexing="ij"), -1).view(1, -1, 2).to(points.dtype)
    return torch.cdist(places.expand(len(points), -1, -1), points).argmin(-1)
