"""Normalisation: each channel with its mean taken off, in units of its spread."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.draws import Draw

from .planes import in_eager_mode_on_cpu


@component(source="torchvision.transforms.v2.Normalize")
class Normalize(nn.Module):
    """(x - mean) / std for each channel of images in 0..1.

    Settings:
        mean: of red, green, blue, in 0..1; the default is ImageNet's.
        std: of red, green, blue, in 0..1; the default is ImageNet's.
    """

    def __init__(
        self,
        *,
        mean: tuple[float, float, float] = (0.485, 0.456, 0.406),
        std: tuple[float, float, float] = (0.229, 0.224, 0.225),
    ) -> None:
        super().__init__()
        if min(std) <= 0:
            raise ValueError(f"std is what channels are divided by, and must be above 0: {std}")
        self.mean = mean
        self.std = std

    def plan(self, draw: Draw) -> tuple[()]:  # noqa: ARG002 - nothing here is random
        """Nothing to draw."""
        return ()

    def forward(self, images: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch 3 height width"]:
        if in_eager_mode_on_cpu(images):
            mean, std = (torch.tensor(values)[:, None, None] for values in (self.mean, self.std))
            return images.sub_(mean).div_(std)
        planes = zip(images.unbind(1), self.mean, self.std, strict=True)
        return torch.stack([(plane - mean) / std for plane, mean, std in planes], 1)
