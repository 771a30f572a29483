"""Resize and random crop: a square of fixed scale from anywhere in the image."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.draws import Draw, words
from sslgraph.ranges import Count

from .frame import Frame


@component(source="torchvision.transforms.v2.Resize and RandomCrop; arXiv:1604.07379, section 4; arXiv:1603.09246")
class ResizeRandomCrop(nn.Module):
    """Shorter side to `shorter`, then a square of `size` at a uniform place.

    Settings:
        size: side of the view, pixels.
        shorter: shorter side before the crop, pixels.
        interpolation: bilinear or bicubic, both antialiased.
    """

    def __init__(
        self, *, size: Count = 224, shorter: Count = 256, interpolation: Literal["bilinear", "bicubic"] = "bilinear"
    ) -> None:
        super().__init__()
        if shorter < size:
            raise ValueError(f"the shorter side is resized to {shorter}, which a crop of {size} does not fit in")
        self.size = size
        self.shorter = shorter
        self.interpolation = interpolation

    def place(self, draw: Draw, frame: Frame) -> Frame:
        """The frame of the crop."""
        height, width = shorter_side_to(self.shorter, frame.rows.size, frame.columns.size)
        numbers = words(draw, 2)
        top, left = ((numbers[:, i] * (side - self.size + 1)) >> 32 for i, side in enumerate((height, width)))
        side = torch.full_like(height, self.size)
        return frame.resized(height, width, self.interpolation).cropped(top, left, side, side)


def shorter_side_to(shorter: int, height: Tensor, width: Tensor) -> tuple[Tensor, Tensor]:
    """Height and width with the shorter side at `shorter` and the other in proportion, rounded down."""
    short = torch.minimum(height, width)
    return height * shorter // short, width * shorter // short
