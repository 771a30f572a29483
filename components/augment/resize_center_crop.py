"""Centre crop: the middle square of an image, the same every time."""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn

from sslgraph.component import component
from sslgraph.draws import Draw
from sslgraph.ranges import Count

from .frame import Frame
from .resize_random_crop import shorter_side_to


@component(source="torchvision.transforms.v2.Resize and CenterCrop")
class ResizeCenterCrop(nn.Module):
    """Shorter side to `shorter`, then the central square of `size`; an image of that size already stays as it is.

    Settings:
        size: side of the view, pixels.
        shorter: shorter side before the crop, pixels; None is 8/7 of `size` (256 for 224).
        interpolation: bilinear or bicubic, both antialiased.
    """

    def __init__(
        self,
        *,
        size: Count = 224,
        shorter: Count | None = None,
        interpolation: Literal["bilinear", "bicubic"] = "bilinear",
    ) -> None:
        super().__init__()
        self.size = size
        self.shorter = round(size * 8 / 7) if shorter is None else shorter
        self.interpolation = interpolation
        if self.shorter < size:
            raise ValueError(f"the shorter side is resized to {self.shorter}, which a crop of {size} does not fit in")

    def place(self, draw: Draw, frame: Frame) -> Frame:  # noqa: ARG002 - nothing here is random
        """The frame of the crop."""
        height, width = frame.rows.size, frame.columns.size
        ready = (height == self.size) & (width == self.size)
        resized_height, resized_width = shorter_side_to(self.shorter, height, width)
        height, width = torch.where(ready, height, resized_height), torch.where(ready, width, resized_width)
        # round() halves to even, as torchvision's center_crop does.
        top, left = (((side - self.size) / 2).round().long() for side in (height, width))
        side = torch.full_like(height, self.size)
        return frame.resized(height, width, self.interpolation).cropped(top, left, side, side)
