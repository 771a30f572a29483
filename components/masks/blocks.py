"""Block-wise mask (BEiT, iBOT, DINOv2): rectangles of patches are hidden until about the wanted part of them is."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.draws import Draw, each, stream_of, substream, uniform
from sslgraph.ranges import Count, ShareOfEach, SomeShare

from .grid import grid

# Of a block, until the mask is left as it is; and of a mask: in thousands of masks no more than 38 were needed.
TRIES, MOST = 10, 40


class Hidden(NamedTuple):
    """Which patches are hidden."""

    hidden: Bool[Tensor, "batch patches"]


@component(
    source="arXiv:2106.08254, Algorithm 1, as the authors' code draws it; arXiv:2111.07832, appendix",
    role="mask",
    shows="blocks",
    uneven=True,
)
class BlockMask(nn.Module):
    """Rectangles, one after the other, until ratio * patches are hidden or 10 rectangles in a row do not fit.

        area ~ uniform from `least` to what is left to hide,   log(height / width) ~ uniform from log(aspect) to its
        negative,   height = round(sqrt(area * aspect)),   width = round(sqrt(area / aspect)),   a place ~ uniform

    A rectangle fits if it is smaller than the image in both directions, hides a patch more and no more than are left.
    So masks do not all hide the same number: of 14 x 14 patches at 75 / 196, two thirds hide 75, and the mean is 74.5.

    Settings:
        ratio: part of the patches that is hidden at most; may be each image's own draw. iBOT: {uniform: [0.1, 0.5], p:
            0.5}, half of the images hide nothing. DINOv2 spreads the same draws evenly over a batch.
        patch: side of a patch in pixels, the same as the backbone's.
        least: patches of the smallest rectangle; left out, the square of a third of the image's side (16 of 14 x 14).
        aspect: the smallest ratio of a rectangle's sides.
    """

    def __init__(
        self, *, ratio: ShareOfEach = 0.4, patch: Count = 16, least: Count | None = None, aspect: SomeShare = 0.3
    ) -> None:
        super().__init__()
        self.ratio, self.patch, self.least, self.aspect = ratio, patch, least, aspect

    def forward(self, image: Float[Tensor, "batch channels image_rows image_columns"], draw: Draw) -> Hidden:
        rows, columns = grid(image, self.patch)
        wanted = each(substream(draw, stream_of("ratio")), self.ratio) * (rows * columns)
        chances = uniform(draw, 4 * MOST).unflatten(1, (MOST, 4))
        hidden = torch.zeros(len(image), rows, columns, dtype=torch.bool, device=image.device)
        failed = torch.zeros(len(image), dtype=torch.int64, device=image.device)
        for attempt in chances.unbind(1):
            left = wanted - hidden.sum((1, 2))
            block = self._block(attempt, left, rows, columns)
            more = (block & ~hidden).sum((1, 2))
            fits = (more > 0) & (more <= left) & (failed < TRIES)
            hidden = hidden | (block & fits[:, None, None])
            failed = torch.where(fits, 0, failed + 1)
        return Hidden(hidden.flatten(1))

    def _block(
        self, chances: Float64[Tensor, "batch 4"], left: Float64[Tensor, "batch"], rows: int, columns: int
    ) -> Bool[Tensor, "batch rows columns"]:
        """A rectangle for each image; none where it would be as high or as wide as the image."""
        least = self.least or max(1, (min(rows, columns) // 3) ** 2)
        area = (least + chances[:, 0] * (left - least)).clamp_min(0)
        aspect = self.aspect ** (1 - 2 * chances[:, 1])
        sides = [(area * aspect).sqrt().round(), (area / aspect).sqrt().round()]
        within = []
        for chance, side, whole in zip(chances[:, 2:].unbind(1), sides, (rows, columns), strict=True):
            first = (chance * (whole - side + 1)).floor()
            place = torch.arange(whole, device=chances.device)
            is_inside = (place >= first[:, None]) & (place < (first + side)[:, None])
            within.append(is_inside & (side < whole)[:, None])
        return within[0][:, :, None] & within[1][:, None, :]
