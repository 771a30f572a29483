"""Uniform mask (MAE): a random part of an image's patches is seen, the rest hidden, each image by its own draw."""

from typing import NamedTuple

from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.draws import Draw, permutation
from sslgraph.ranges import Count, LessThanOne


class Mask(NamedTuple):
    """Which patches are seen, in drawn order; where each patch stands in that order; which patches are hidden."""

    seen: Int64[Tensor, "batch kept"]
    restore: Int64[Tensor, "batch patches"]
    hidden: Bool[Tensor, "batch patches"]


@component(source="arXiv:2111.06377, section 3 (masking)", role="mask")
class UniformMask(nn.Module):
    """Without replacement: the patches are put in random order, and the first int(patches * (1 - ratio)) are seen.

    With `order` that random order, seen = order[:kept] and order[restore] = 0, 1, 2, ...: gathering by `restore` puts
    seen and then hidden tokens back in place. 196 patches at 0.75 leave 49; the product is rounded down as the authors'
    code does it, so 196 at 0.9 leave 19 and 100 at 0.9 leave 9.

    Settings:
        ratio: part of the patches that is hidden, 0..1.
        patch: side of a patch in pixels, the same as the backbone's.
    """

    def __init__(self, *, ratio: LessThanOne = 0.75, patch: Count = 16) -> None:
        super().__init__()
        if not 0 <= ratio < 1:
            raise ValueError(f"ratio is the hidden part of the patches, from 0 to less than 1, and not {ratio}")
        self.ratio = ratio
        self.patch = patch

    def forward(self, image: Float[Tensor, "batch channels image_rows image_columns"], draw: Draw) -> Mask:
        rows, columns = image.shape[2:]
        if rows % self.patch or columns % self.patch:
            raise ValueError(f"patches of {self.patch} pixels do not divide {rows} x {columns}; set patch")
        patches = (rows // self.patch) * (columns // self.patch)
        kept = int(patches * (1 - self.ratio))
        if kept == 0:
            raise ValueError(f"ratio {self.ratio} hides all {patches} patches; make it smaller")
        order = permutation(draw, patches)
        restore = order.argsort(1)
        return Mask(order[:, :kept], restore, restore >= kept)
