"""Horizontal flip: left and right exchanged, for some of the samples."""

from __future__ import annotations

from torch import nn

from sslgraph.component import component
from sslgraph.draws import Draw, words
from sslgraph.ranges import Share

from .chance import checked, chosen
from .frame import Frame


@component(source="torchvision.transforms.v2.RandomHorizontalFlip")
class HorizontalFlip(nn.Module):
    """Mirrors a view; it costs nothing, being folded into the resampling before it.

    Settings:
        p: probability, or a list with one for each copy of a bag.
    """

    def __init__(self, *, p: Share | list[Share] = 0.5) -> None:
        super().__init__()
        self.p = checked(p)

    def place(self, draw: Draw, frame: Frame) -> Frame:
        """The frame of the mirrored view."""
        return frame.mirrored(chosen(words(draw, 1)[:, 0], self.p))
