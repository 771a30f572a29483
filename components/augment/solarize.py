"""Solarisation: bright values turned dark, for some of the samples."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.draws import Draw, words
from sslgraph.ranges import Share

from . import native
from .chance import checked, chosen
from .native import Operation
from .planes import in_eager_mode_on_cpu, on_rows


@component(source="arXiv:2006.07733, appendix B; torchvision.transforms.v2.RandomSolarize")
class Solarize(nn.Module):
    """x becomes 1 - x where x is at least `threshold`.

    Settings:
        threshold: least value that is turned, in 0..1 (0.5 is 128 of 255).
        p: probability, or a list with one for each copy of a bag.
    """

    def __init__(self, *, threshold: Share = 0.5, p: Share | list[Share] = 0.2) -> None:
        super().__init__()
        self.threshold = threshold
        self.p = checked(p)

    def plan(self, draw: Draw) -> tuple[Bool[Tensor, "rows"]]:
        """Which samples are solarised."""
        return (chosen(words(draw, 1)[:, 0], self.p),)

    def in_words(self, chosen: Bool[Tensor, "rows"]) -> dict[int, tuple[str, ...]]:
        """The samples that are solarised."""
        return dict.fromkeys(chosen.nonzero()[:, 0].tolist(), (f"solarised from {self.threshold:g}",))

    def forward(
        self, images: Float[Tensor, "batch channels height width"], chosen: Bool[Tensor, "batch"]
    ) -> Float[Tensor, "batch channels height width"]:
        operation = torch.where(chosen, Operation.SOLARIZE, Operation.KEEP).int()[:, None]
        numbers = torch.full((len(images), 1, 1), self.threshold, device=images.device)
        if native.paint(images, operation, numbers):
            return images
        if not in_eager_mode_on_cpu(images):
            return torch.where(chosen[:, None, None, None] & (images >= self.threshold), 1 - images, images)
        return on_rows(images, chosen.nonzero()[:, 0], self._turn)

    def _turn(self, planes: Tensor, _: slice) -> None:
        bright = torch.ge(planes, self.threshold, out=torch.empty_like(planes))
        torch.sub(bright, planes, out=planes).abs_()  # 1 - x where bright, x elsewhere, without a selection
