"""Uniform mask (MAE): a random part of an image's patches is seen, the rest hidden, each image by its own draw."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.draws import Draw, permutation
from sslgraph.ranges import Count, InnerShare, SomeShare


class Mask(NamedTuple):
    """Which patches are seen, in drawn order; where each patch stands in that order; which patches are hidden; which
    of these are to be predicted, in drawn order.
    """

    seen: Int64[Tensor, "batch kept"]
    restore: Int64[Tensor, "batch patches"]
    hidden: Bool[Tensor, "batch patches"]
    wanted: Int64[Tensor, "batch places"]


@component(source="arXiv:2111.06377, section 3 (masking)", role="mask", shows="mask")
class UniformMask(nn.Module):
    """Without replacement: the patches are put in random order, and the first int(patches * (1 - ratio)) are seen.

    With `order` that random order, seen = order[:kept] and order[restore] = 0, 1, 2, ...: gathering by `restore` puts
    seen and then hidden tokens back in place. 196 patches at 0.75 leave 49; the product is rounded down as the authors'
    code does it, so 196 at 0.9 leave 19 and 100 at 0.9 leave 9.

    Settings:
        ratio: part of the patches that is hidden, above 0 and below 1.
        predicted: part of the hidden patches that is wanted, for predictors of places (CrossMAE 0.25 to 1).
        patch: side of a patch in pixels, the same as the backbone's.
        unit: side in pixels of the squares that are hidden or seen as a whole, a multiple of patch (SimMIM: 32 on
            patches of 16); left out, each patch by itself.
    """

    def __init__(
        self, *, ratio: InnerShare = 0.75, predicted: SomeShare = 1.0, patch: Count = 16, unit: Count | None = None
    ) -> None:
        super().__init__()
        if not 0 < ratio < 1:
            raise ValueError(f"ratio is the hidden part of the patches, above 0 and below 1, and not {ratio}")
        self.ratio, self.predicted = ratio, predicted
        self.patch = patch
        self.unit = unit or patch
        if self.unit % patch:
            raise ValueError(f"squares of {unit} pixels are not made of patches of {patch}; set unit to a multiple")

    def forward(self, image: Float[Tensor, "batch channels image_rows image_columns"], draw: Draw) -> Mask:
        rows, columns = image.shape[2:]
        if rows % self.unit or columns % self.unit:
            what, setting = ("patches", "patch") if self.unit == self.patch else ("squares", "unit")
            raise ValueError(
                f"{what} of {self.unit} pixels do not divide {rows} x {columns}; set {setting}, or make the sides of "
                f"the view multiples of it, {self.unit} at the least"
            )
        down, across, times = rows // self.unit, columns // self.unit, self.unit // self.patch
        kept = int(down * across * (1 - self.ratio))
        if kept == 0:
            raise ValueError(f"ratio {self.ratio} hides all {down * across} patches; make it smaller")
        order = self._patches(permutation(draw, down * across), down, across)
        restore, kept = order.argsort(1), kept * times**2
        wanted = order[:, kept : kept + max(1, int((order.shape[1] - kept) * self.predicted))]
        return Mask(order[:, :kept], restore, restore >= kept, wanted)

    def _patches(
        self, squares: Int64[Tensor, "batch squares"], down: int, across: int
    ) -> Int64[Tensor, "batch patches"]:
        """The patches of squares in their order, those of a square row by row."""
        times = self.unit // self.patch
        if times == 1:
            return squares
        places = torch.arange(down * across * times**2, device=squares.device)
        inside = places.view(down, times, across, times).permute(0, 2, 1, 3).reshape(down * across, times**2)
        return inside[squares].flatten(1)
