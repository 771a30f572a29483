"""Random resized crop: a rectangle of random area, shape and place, brought to a square."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.draws import Draw, words
from sslgraph.ranges import Count, Positives, Shares

from .frame import Frame

_TRIES = 10


@component(source="arXiv:1409.4842, section 6; torchvision.transforms.v2.RandomResizedCrop")
class RandomResizedCrop(nn.Module):
    """The Inception crop: area ~ U(scale) of the image, aspect ratio log-uniform in `ratio`, place uniform.

    Ten candidates are drawn for each sample and the first that lies inside the image is taken; if none does, the
    largest central rectangle of an allowed ratio.

    Settings:
        size: side of the view, pixels.
        scale: least and greatest area of the crop, as fractions of the image's.
        ratio: least and greatest width / height of the crop, no unit.
        interpolation: bilinear or bicubic, both antialiased.
    """

    def __init__(
        self,
        *,
        size: Count = 224,
        scale: Shares = (0.08, 1.0),
        ratio: Positives = (0.75, 1.3333333333333333),
        interpolation: Literal["bilinear", "bicubic"] = "bilinear",
    ) -> None:
        super().__init__()
        if not (0 < scale[0] <= scale[1] <= 1 and 0 < ratio[0] <= ratio[1]):
            raise ValueError(f"scale goes from a small to a large part of the image, ratio likewise: {scale}, {ratio}")
        self.size = size
        self.scale = scale
        self.ratio = ratio
        self.interpolation = interpolation

    def place(self, draw: Draw, frame: Frame) -> Frame:
        """The frame of the crop."""
        height, width = frame.rows.size, frame.columns.size
        numbers = words(draw, 2 * _TRIES + 2)
        crop_height, crop_width, found = self._candidates(numbers, height, width)
        central_height, central_width = self._central(height, width)
        crop_height = torch.where(found, crop_height, central_height)
        crop_width = torch.where(found, crop_width, central_width)
        spare_height, spare_width = height - crop_height, width - crop_width
        top = torch.where(found, (numbers[:, -2] * (spare_height + 1)) >> 32, spare_height // 2)
        left = torch.where(found, (numbers[:, -1] * (spare_width + 1)) >> 32, spare_width // 2)
        side = torch.full_like(height, self.size)
        return frame.cropped(top, left, crop_height, crop_width).resized(side, side, self.interpolation)

    def _candidates(self, numbers: Tensor, height: Tensor, width: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Height and width of the first candidate that fits, and whether there is one."""
        u = (numbers[:, : 2 * _TRIES] >> 8).double() * 2.0**-24
        low, high = math.log(self.ratio[0]), math.log(self.ratio[1])
        area = (height * width)[:, None] * (self.scale[0] + (self.scale[1] - self.scale[0]) * u[:, :_TRIES])
        aspect = torch.exp(low + (high - low) * u[:, _TRIES:])
        widths, heights = torch.round(torch.sqrt(area * aspect)), torch.round(torch.sqrt(area / aspect))
        fits = (widths > 0) & (widths <= width[:, None]) & (heights > 0) & (heights <= height[:, None])
        first = fits.to(torch.int8).argmax(1, keepdim=True)
        return heights.gather(1, first)[:, 0].long(), widths.gather(1, first)[:, 0].long(), fits.any(1)

    def _central(self, height: Tensor, width: Tensor) -> tuple[Tensor, Tensor]:
        shape = width.double() / height
        widest = torch.where(shape > self.ratio[1], torch.round(height * self.ratio[1]).long(), width)
        highest = torch.where(shape < self.ratio[0], torch.round(width / self.ratio[0]).long(), height)
        return highest, widest
