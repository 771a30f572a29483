"""Greyscale: all colour removed, for some of the samples."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.draws import Draw, words
from sslgraph.ranges import Share

from . import native
from .chance import COLOURS, checked, chosen, only_colours
from .native import Operation
from .planes import in_eager_mode_on_cpu, luma, on_rows


@component(source="torchvision.transforms.v2.RandomGrayscale")
class Grayscale(nn.Module):
    """The three channels replaced by 0.2989 red + 0.587 green + 0.114 blue.

    Settings:
        p: probability, or a list with one for each copy of a bag.
    """

    def __init__(self, *, p: Share | list[Share] = 0.2) -> None:
        super().__init__()
        self.p = checked(p)

    def plan(self, draw: Draw) -> tuple[Bool[Tensor, "rows"]]:
        """Which samples lose their colour."""
        return (chosen(words(draw, 1)[:, 0], self.p),)

    def takes(self, channels: int) -> None:
        """Refuses other images than those of red, green and blue, unless it leaves all of them alone."""
        only_colours(channels, self.p)

    def in_words(self, chosen: Bool[Tensor, "rows"]) -> dict[int, tuple[str, ...]]:
        """The samples that lose their colour."""
        return dict.fromkeys(chosen.nonzero()[:, 0].tolist(), ("grey",))

    def forward(
        self, images: Float[Tensor, "batch channels height width"], chosen: Bool[Tensor, "batch"]
    ) -> Float[Tensor, "batch channels height width"]:
        if images.shape[1] != COLOURS:  # p is 0
            return images
        operation = torch.where(chosen, Operation.GRAY, Operation.KEEP).int()[:, None]
        numbers = torch.zeros(len(images), 1, 1, device=images.device)
        if native.paint(images, operation, numbers):
            return images
        if not in_eager_mode_on_cpu(images):
            return torch.where(chosen[:, None, None, None], luma(images.unbind(1))[:, None], images)
        return on_rows(images, chosen.nonzero()[:, 0], lambda planes, _: planes.copy_(luma(planes)))
