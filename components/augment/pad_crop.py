"""Padded crop: the image shifted by a few pixels, its border mirrored where it ends."""

from __future__ import annotations

import torch
from torch import nn

from sslgraph.component import component
from sslgraph.draws import Draw, words
from sslgraph.ranges import Count, Whole

from .frame import Frame


@component(source="arXiv:1512.03385, section 4.2; torchvision.transforms.v2.Pad(mode reflect) and RandomCrop")
class PadCrop(nn.Module):
    """`padding` pixels on every side, then a crop of `size` at a uniform place: no resampling.

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
        spare = [side + 2 * self.padding - self.size for side in (frame.rows.size, frame.columns.size)]
        if any(bool((room < 0).any()) for room in spare):
            raise ValueError(f"an image with {self.padding} pixels on every side is smaller than a crop of {self.size}")
        top, left = (((numbers[:, i] * (room + 1)) >> 32) - self.padding for i, room in enumerate(spare))
        side = torch.full_like(top, self.size)
        return frame.padded_crop(top, left, side, side)
