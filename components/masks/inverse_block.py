"""Inverse block mask (CAPI): one rectangle of patches is seen, and some of the rest are to be predicted."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Float64, Int64
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.draws import Draw, permutation, substream, uniform
from sslgraph.ranges import Count, InnerShare, SomeShare

from .grid import grid


class Sides(NamedTuple):
    """The seen patches in rising order; those to predict, in drawn order; what is not seen."""

    seen: Int64[Tensor, "batch kept"]
    wanted: Int64[Tensor, "batch places"]
    hidden: Bool[Tensor, "batch patches"]


@component(
    source="arXiv:2502.08769, section 3.2; facebookresearch/capi, data.py; arXiv:2507.14137 for the rolling",
    role="mask",
    shows="blocks",
)
class InverseBlockMask(nn.Module):
    """All images show as many patches, those of a rectangle of the image's own shape and place.

        kept = patches - int(patches * ratio),   log(height / width) ~ uniform from log(aspect) to its negative, as far
        as the image has room,   height = ceil(sqrt(kept * height / width)),   width = ceil(sqrt(kept * width / height))

    Of a rectangle with more than `kept` patches the first ones are seen, row by row. Rolled over the image's edges, it
    shows the middle no more often than the border. Of the hidden patches int(hidden * predicted) are wanted.

    Settings:
        ratio: part of the patches that is hidden.
        predicted: part of the hidden patches that is to be predicted, drawn without order (CAPI 0.05).
        patch: side of a patch in pixels, the same as the backbone's.
        aspect: the smallest ratio of the rectangle's sides.
        rolled: what leaves the image on one side comes back on the other.
    """

    def __init__(
        self,
        *,
        ratio: InnerShare = 0.65,
        predicted: SomeShare = 1.0,
        patch: Count = 16,
        aspect: SomeShare = 0.5,
        rolled: bool = True,
    ) -> None:
        super().__init__()
        self.ratio, self.predicted, self.patch = ratio, predicted, patch
        self.aspect, self.rolled = aspect, rolled

    def forward(self, image: Float[Tensor, "batch channels image_rows image_columns"], draw: Draw) -> Sides:
        rows, columns = grid(image, self.patch)
        hide = int(rows * columns * self.ratio)
        kept, ask = rows * columns - hide, int(hide * self.predicted)
        if ask == 0:
            raise ValueError(
                f"of {rows} x {columns} patches, ratio {self.ratio} hides {hide}, and predicted {self.predicted} of "
                "them are none; make one of the two larger"
            )
        is_seen = self._rectangle(uniform(draw, 3), rows, columns, kept)
        hidden = is_seen.to(torch.uint8).argsort(dim=1, stable=True)[:, :hide]
        seen = (~is_seen).to(torch.uint8).argsort(dim=1, stable=True)[:, :kept]
        wanted = hidden.gather(1, permutation(substream(draw, 1), hide)[:, :ask])
        return Sides(seen, wanted, ~is_seen)

    def _rectangle(
        self, chances: Float64[Tensor, "batch 3"], rows: int, columns: int, kept: int
    ) -> Bool[Tensor, "batch patches"]:
        """The patches of each image's rectangle, as many as are kept."""
        low, high = math.log(self.aspect), -math.log(self.aspect)
        low, high = max(low, math.log(kept / columns**2)), min(high, math.log(rows**2 / kept))
        shape = (low + chances[:, 0] * (high - low)).exp()
        tall = (kept * shape).sqrt().ceil().long().clamp_max(rows)
        wide = (kept / shape).sqrt().ceil().long().clamp_max(columns)
        down = self._from_corner(chances[:, 1], tall, rows)[:, :, None]
        right = self._from_corner(chances[:, 2], wide, columns)[:, None, :]
        is_inside = (down >= 0) & (down < tall[:, None, None]) & (right >= 0) & (right < wide[:, None, None])
        return (is_inside & (down * wide[:, None, None] + right < kept)).flatten(1)

    def _from_corner(
        self, chance: Float64[Tensor, "batch"], side: Int64[Tensor, "batch"], whole: int
    ) -> Int64[Tensor, "batch whole"]:
        """How far each row (or column) of the image lies behind the rectangle's first."""
        first = (chance * (whole if self.rolled else whole - side + 1)).long()
        behind = torch.arange(whole, device=chance.device) - first[:, None]
        return behind % whole if self.rolled else behind
