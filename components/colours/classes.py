"""Classes of colour and of lightness at the places of a map: what each half of a split-brain autoencoder predicts."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn.functional import interpolate

from sslgraph.component import component
from sslgraph.ranges import Several

from .annealed_mean import painted
from .bins import at_places, distances, refuse_grey, table, without_grey
from .lab import Lab, to_rgb


class Classes(NamedTuple):
    """The nearest of 313 colours, and the lightness, at each place; -100 on all places of an image that is grey."""

    colour: Int64[Tensor, "batch rows columns"]
    lightness: Int64[Tensor, "batch rows columns"]


@component(source="arXiv:1611.09842, section 3.2; arXiv:1603.08511, section 2.1, for the 313 colours", float32=True)
class ColourClasses(nn.Module):
    """colour = argmin_q |ab - centre[q]|,  lightness = floor(levels * L / 100), of the pixel amid each place.

    `like` says how many places there are, by its second and third axis. The centres are a grid of step 10 in the ab
    plane of Lab. cross_entropy ignores grey images, which would teach the prior of lightness and no colour.

    Settings:
        levels: classes of lightness.
    """

    centres: Tensor

    def __init__(self, *, levels: Several = 50) -> None:
        super().__init__()
        self.levels = levels
        self.register_buffer("centres", table(), persistent=False)

    def suits(self, images: list[Tensor]) -> None:
        """Refuses a data set whose images are all grey."""
        refuse_grey(images, "colours.classes")

    def pictures(
        self,
        image: Float[Tensor, "batch 3 height width"],
        told_colour: Float[Tensor, "batch rows columns 313"],
        told_lightness: Float[Tensor, "batch rows columns levels"],
    ) -> dict[str, Tensor]:
        """The image, its lightness alone, that with the colours told, and its colours with the lightness told."""
        lab = Lab().to(image.device)(image)
        middles = (torch.arange(self.levels, device=image.device) + 0.5) * 100 / self.levels - 50
        told = (told_lightness.float().softmax(-1) @ middles)[:, None]
        light = interpolate(told, image.shape[2:], mode="bilinear")
        return {**painted(image, told_colour), "relit": to_rgb(light, lab.ab)}

    def forward(
        self,
        lightness: Float[Tensor, "batch 1 height width"],
        ab: Float[Tensor, "batch 2 height width"],
        like: Float[Tensor, "batch rows columns outputs"],
    ) -> Classes:
        rows, columns = like.shape[1:3]
        colours = at_places(ab, rows, columns)
        nearest = distances(colours, self.centres.to(ab.dtype)).argmin(-1)
        share = (at_places(lightness, rows, columns)[..., 0] + 50) / 100
        level = (share * self.levels).long().clamp(0, self.levels - 1)
        return Classes(without_grey(nearest, colours), without_grey(level, colours))
