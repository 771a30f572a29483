"""Matched boxes (SCRL): random boxes that show the same part of the source image in two crops."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from sslgraph import draws
from sslgraph.component import component
from sslgraph.draws import Draw
from sslgraph.ranges import Count, Share, SomeShare


class Boxes(NamedTuple):
    """Of each image the boxes in the one view and the same in the other, as fractions (left, top, right, bottom) of the
    view; and for each box, image by image, whether the crops overlap enough for it.
    """

    box: Float[Tensor, "batch boxes 4"]
    box_other: Float[Tensor, "batch boxes 4"]
    valid: Bool[Tensor, "rows"]


@component(
    source="arXiv:2103.06122, section 3.2; kakaobrain/scrl, models/box_generator.py",
    shows="boxes",
    uneven=True,
    idea="pairs of regions",
)
class MatchedBoxes(nn.Module):
    """Boxes are drawn in the overlap of two crops, which is cut into a random grid: each lies in one cell of it.

    For each box: 1 to (side / least) cells across, and as many down; a cell; a size from `least` to the cell's; a place
    in the cell. A box that shares more than `overlap` with an earlier one (intersection over union) is drawn again, up
    to `tries` times. An image whose crops share less than `least` has whole views for boxes, and none of them valid.

    Settings:
        count: boxes for each image.
        least: least side of a box, as a fraction of the side of the view with the larger crop (the authors: 32 of 224).
        overlap: of two boxes of an image, at most.
        tries: draws for a box; after the last one it stays as it is.
    """

    def __init__(
        self, *, count: Count = 10, least: SomeShare = 0.14285714285714285, overlap: Share = 0.5, tries: Count = 50
    ) -> None:
        super().__init__()
        self.count, self.least, self.overlap, self.tries = count, least, overlap, tries

    def forward(
        self,
        box: Float[Tensor, "batch 4"],
        flip: Bool[Tensor, "batch"],
        box_other: Float[Tensor, "batch 4"],
        flip_other: Bool[Tensor, "batch"],
        draw: Draw,
    ) -> Boxes:
        one, other = box.float(), box_other.float()
        shared = torch.cat([torch.maximum(one[:, :2], other[:, :2]), torch.minimum(one[:, 2:], other[:, 2:])], 1)
        # The side of the overlap in each direction, where the view of the larger crop has side 1.
        side = (shared[:, 2:] - shared[:, :2]) / torch.maximum(one[:, 2:] - one[:, :2], other[:, 2:] - other[:, :2])
        valid = (side > self.least).all(1)
        drawn = self._drawn(side.clamp_min(self.least), draw) / side.clamp_min(self.least).repeat(1, 2)[:, None]
        source = shared[:, None, :2].repeat(1, 1, 2) + drawn * (shared[:, 2:] - shared[:, :2]).repeat(1, 2)[:, None]
        whole = one.new_tensor([0.0, 0.0, 1.0, 1.0])
        seen = [
            torch.where(valid[:, None, None], _seen(source, *view), whole)
            for view in ((one, flip), (other, flip_other))
        ]
        return Boxes(seen[0], seen[1], valid.repeat_interleave(self.count))

    def _drawn(self, side: Tensor, draw: Tensor) -> Tensor:
        """Boxes in a rectangle of these sides [batch, 2] from 0: [batch, boxes, 4]."""
        batch = len(side)
        u = draws.uniform(draw, self.count * self.tries * 8).float().view(batch, self.count, self.tries, 4, 2)
        side = side[:, None, None]
        cells = 1 + (u[..., 0, :] * (side / self.least).floor()).floor()
        cell = side / cells
        size = self.least + u[..., 2, :] * (cell - self.least)
        start = (u[..., 1, :] * cells).floor() * cell + u[..., 3, :] * (cell - size)
        every = torch.cat([start, start + size], -1)
        taken: list[Tensor] = []
        for number in range(self.count):
            tries = every[:, number]
            is_apart = torch.ones(batch, self.tries, dtype=torch.bool, device=side.device)
            for earlier in taken:
                is_apart &= _share(tries, earlier[:, None]) < self.overlap
            is_apart[:, -1] = True
            first = is_apart.to(torch.uint8).argmax(1)
            taken.append(tries[torch.arange(batch, device=side.device), first])
        return torch.stack(taken, 1)


def _share(one: Tensor, other: Tensor) -> Tensor:
    """Intersection over union."""
    inner = (torch.minimum(one[..., 2:], other[..., 2:]) - torch.maximum(one[..., :2], other[..., :2])).clamp_min(0)
    areas = [(box[..., 2:] - box[..., :2]).prod(-1) for box in (one, other)]
    return inner.prod(-1) / (areas[0] + areas[1] - inner.prod(-1))


def _seen(source: Tensor, view: Tensor, flip: Tensor) -> Tensor:
    """Boxes of the source image as a view shows them, within it."""
    start, size = view[:, None, :2].repeat(1, 1, 2), (view[:, 2:] - view[:, :2]).repeat(1, 2)[:, None]
    left, top, right, bottom = ((source - start) / size).clamp(0, 1).unbind(-1)
    turned = flip[:, None]
    return torch.stack([torch.where(turned, 1 - right, left), top, torch.where(turned, 1 - left, right), bottom], -1)
