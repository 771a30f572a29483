"""Padded crop: the image shifted by a few pixels, its border mirrored where it ends."""

from __future__ import annotations

import torch
from torch import nn

from sslgraph.component import component
from sslgraph.draws import Draw, words
from sslgraph.ranges import Count, Whole

from .frame import Frame
from .resize_random_crop import shorter_side_to


@component(source="arXiv:1512.03385, section 4.2; torchvision.transforms.v2.Pad(mode reflect) and RandomCrop")
class PadCrop(nn.Module):
    """`padding` pixels on every side, then a crop of `size` at a uniform place: no resampling.

    An image that is too small even so is enlarged first, its shorter side to `size`.

    The padding mirrors the image, so that its colour tells nothing about the image's orientation.

    Settings:
        size: side of the view, pixels.
        padding: pixels added on every side.
    """

    def __init__(self, *, size: Count = 32, padding: Whole = 4) -> None:
        super().__init__()
        self.size = size
        self.padding = padding

    def place(self, draw: Draw, frame: Frame) -> Frame:
        """The frame of the crop."""
        numbers = words(draw, 2)
        frame = self._enlarged(frame)
        spare = [side + 2 * self.padding - self.size for side in (frame.rows.size, frame.columns.size)]
        top, left = (((numbers[:, i] * (room + 1)) >> 32) - self.padding for i, room in enumerate(spare))
        side = torch.full_like(top, self.size)
        return frame.padded_crop(top, left, side, side)

    def _enlarged(self, frame: Frame) -> Frame:
        """The same frame with those images enlarged that are too small for the crop, padded as they are."""
        height, width = frame.rows.size, frame.columns.size
        is_small = torch.minimum(height, width) + 2 * self.padding < self.size
        if not bool(is_small.any()):
            return frame
        large_height, large_width = shorter_side_to(self.size, height, width)
        height, width = torch.where(is_small, large_height, height), torch.where(is_small, large_width, width)
        return frame.resized(height, width, "bilinear")
