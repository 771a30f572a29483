"""Colours as mixtures of the nearest classes: the soft target of colorization."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.ranges import Count, Positive

from .annealed_mean import painted
from .bins import at_places, distances, refuse_grey, table, without_grey


class Mixture(NamedTuple):
    """Shares of 313 classes at each place, and the nearest class. A grey image has none: shares 0, class -100."""

    shares: Float[Tensor, "batch rows columns classes"]
    nearest: Int64[Tensor, "batch rows columns"]


@component(source="arXiv:1603.08511, section 2.1 (soft encoding)", title="soft colours", float32=True, detached=("*",))
class ColourMixture(nn.Module):
    """share[q] = exp(-|ab - centre[q]|^2 / (2 deviation^2)) / their sum, over the nearest classes; 0 for the others.

    Taken from the pixel amid each place; `like` says how many there are, by its second and third axis. Of equally near
    classes the first in the table counts.

    Settings:
        neighbours: classes that share a colour (the paper 5, its code 10).
        deviation: in units of Lab.
    """

    centres: Tensor

    def __init__(self, *, neighbours: Count = 5, deviation: Positive = 5.0) -> None:
        super().__init__()
        self.neighbours = neighbours
        self.deviation = deviation
        self.register_buffer("centres", table(), persistent=False)

    def suits(self, images: list[Tensor]) -> None:
        """Refuses a data set whose images are all grey."""
        refuse_grey(images, "colours.mixture")

    def pictures(
        self, image: Float[Tensor, "batch 3 height width"], like: Float[Tensor, "batch rows columns outputs"]
    ) -> dict[str, Tensor]:
        """The image, its lightness alone, and with the colours that the scores `like` say (annealed mean)."""
        return painted(image, like)

    def forward(
        self, ab: Float[Tensor, "batch 2 height width"], like: Float[Tensor, "batch rows columns outputs"]
    ) -> Mixture:
        colours = at_places(ab.detach(), *like.shape[1:3])
        far = distances(colours, self.centres.to(ab.dtype))
        near, which = far.sort(stable=True, dim=-1)
        near, which = near[..., : self.neighbours], which[..., : self.neighbours]
        shares = torch.zeros_like(far).scatter(-1, which, (-near / (2 * self.deviation**2)).softmax(-1))
        nearest = without_grey(which[..., 0], colours)
        return Mixture(shares * (nearest >= 0)[..., None], nearest)
