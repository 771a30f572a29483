"""Seed patch: a square of the image that is the same in every epoch, from which exemplars are made (Exemplar CNN)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.draws import Draw, stream_of, words
from sslgraph.ranges import Count

from .frame import Frame


@component(source="arXiv:1406.6909, section 2, at an even chance for all places")
class SeedPatch(nn.Module):
    """A square at a uniform place that seed and image alone decide: epochs, views and copies share it.

    The authors prefer places with strong gradients. An image with a shorter side gives a square of that.

    Settings:
        side: of the square, pixels of the image as it arrives.
    """

    def __init__(self, *, side: Count = 32) -> None:
        super().__init__()
        self.side = side

    def place(self, draw: Draw, frame: Frame) -> Frame:
        """The frame of the square."""
        numbers = words(_without_epoch(draw), 2)
        height, width = frame.rows.size, frame.columns.size
        side = torch.minimum(height, width).clamp(max=self.side)
        top, left = ((numbers[:, i] * (room - side + 1)) >> 32 for i, room in enumerate((height, width)))
        return frame.cropped(top, left, side, side)


def _without_epoch(draw: Draw) -> Tensor:
    constant = torch.full_like(draw[:, 0], stream_of("seed patch"))
    return torch.stack([draw[:, 0], torch.zeros_like(constant), draw[:, 2], constant], 1)
