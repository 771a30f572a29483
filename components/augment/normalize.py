"""Normalisation: each channel with its mean taken off, in units of its spread."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.draws import Draw
from sslgraph.ranges import Share, SomeShare

from . import native
from .native import Operation
from .planes import in_eager_mode_on_cpu


@component(source="torchvision.transforms.v2.Normalize", role="normalization")
class Normalize(nn.Module):
    """(x - mean) / std for each channel of images in 0..1.

    Settings:
        mean: of each channel, in 0..1; the default is ImageNet's of red, green, blue.
        std: of each channel, in 0..1; the default is ImageNet's of red, green, blue.
    """

    def __init__(
        self, *, mean: tuple[Share, ...] = (0.485, 0.456, 0.406), std: tuple[SomeShare, ...] = (0.229, 0.224, 0.225)
    ) -> None:
        super().__init__()
        if min(std) <= 0:
            raise ValueError(f"std is what channels are divided by, and must be above 0: {std}")
        if len(mean) != len(std):
            raise ValueError(f"mean names {len(mean)} channels and std {len(std)}")
        self.mean = mean
        self.std = std
        self.scale = tuple(1 / value for value in std)  # a processor multiplies more than twice as fast as it divides

    def plan(self, draw: Draw) -> tuple[()]:  # noqa: ARG002 - nothing here is random
        """Nothing to draw."""
        return ()

    def takes(self, channels: int) -> None:
        """Refuses images of another number of channels."""
        if channels != len(self.mean):
            raise ValueError(
                f"mean and std are of {len(self.mean)} channels, and the images have {channels}; "
                "'sslgraph data PATH' measures both: write them with --set 'views.*.normalize.mean=[...]'"
            )

    def forward(
        self, images: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels height width"]:
        mean, scale = (torch.tensor(values, device=images.device) for values in (self.mean, self.scale))
        numbers = torch.cat([mean, scale]).expand(len(images), 1, -1)
        operation = torch.full((len(images), 1), Operation.NORMALIZE, dtype=torch.int32, device=images.device)
        if native.paint(images, operation, numbers):
            return images
        if not in_eager_mode_on_cpu(images):
            planes = zip(images.unbind(1), self.mean, self.scale, strict=True)
            return torch.stack([(plane - mean) * scale for plane, mean, scale in planes], 1)
        return images.sub_(mean[:, None, None]).mul_(scale[:, None, None])
