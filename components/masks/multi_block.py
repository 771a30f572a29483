"""Multi-block mask (I-JEPA): one large block of patches is seen, and several small ones are to be predicted from it."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from sslgraph import collectives
from sslgraph.component import component
from sslgraph.draws import Draw, stream_of, uniform
from sslgraph.ranges import Count, Positives, Shares

from .grid import grid

# Sets of blocks that are drawn for an image, of which the first with enough seen patches is taken.
SETS = 4


class Blocks(NamedTuple):
    """The seen patches in rising order; the patches of each block to predict, row by row; what is not seen."""

    seen: Int64[Tensor, "batch kept"]
    wanted: Int64[Tensor, "batch blocks places"]
    hidden: Bool[Tensor, "batch patches"]


@component(
    source="arXiv:2301.08243, section 3 and appendix A.1; facebookresearch/ijepa",
    role="mask",
    spans_batch=True,
    shows="blocks",
)
class MultiBlockMask(nn.Module):
    """Sizes are drawn for a step, the same for all images and ranks; places for each image, evenly over all that fit.

        height = round(sqrt(scale * patches * aspect)),   width = round(sqrt(scale * patches / aspect)),   both smaller
        than the image;   seen = patches of the large block that lie in none of the small ones

    All images show as many patches as the one with the fewest in the global batch: each its first ones, row by row, as
    in the authors' code. There the last row and column never are in a block; here they are.

    Settings:
        blocks: how many are to be predicted; they may overlap each other.
        scale: least and greatest part of the patches in one of them.
        aspect: least and greatest ratio of its sides.
        seen: least and greatest part of the patches in the large block, a square.
        least: seen patches of an image at least, as far as a few draws of the blocks' places find so many.
        patch: side of a patch in pixels, the same as the backbone's.
    """

    def __init__(
        self,
        *,
        blocks: Count = 4,
        scale: Shares = (0.15, 0.2),
        aspect: Positives = (0.75, 1.5),
        seen: Shares = (0.85, 1.0),
        least: Count = 10,
        patch: Count = 16,
    ) -> None:
        super().__init__()
        self.blocks, self.scale, self.aspect, self.seen = blocks, scale, aspect, seen
        self.least, self.patch = least, patch

    def forward(
        self, image: Float[Tensor, "batch channels image_rows image_columns"], draw: Draw, clock: Int64[Tensor, "3"]
    ) -> Blocks:
        rows, columns = grid(image, self.patch)
        small, large = self._sizes(clock, rows, columns)
        chances = uniform(draw, 2 * SETS * (self.blocks + 1)).unflatten(1, (SETS, self.blocks + 1, 2))
        size = torch.tensor([small] * self.blocks + [large], device=draw.device)
        room = torch.tensor([rows, columns], device=draw.device) - size + 1
        top, left = (chances * room).long().unbind(-1)
        wanted = _places(top[..., :-1], left[..., :-1], small, columns)
        shown = _places(top[..., -1], left[..., -1], large, columns)
        is_seen = torch.zeros(*wanted.shape[:2], rows * columns, dtype=torch.bool, device=draw.device)
        is_seen = is_seen.scatter(2, shown, True).scatter(2, wanted.flatten(2), False)
        count = is_seen.sum(2)
        chosen = torch.where(count >= self.least, count.max() + SETS - torch.arange(SETS, device=count.device), count)
        best = torch.arange(len(count), device=count.device), chosen.argmax(1)
        kept = int(collectives.gather(count[best]).min())
        if kept == 0:
            raise ValueError(f"{self.blocks} blocks leave nothing of {rows} x {columns} patches; make scale smaller")
        seen = (~is_seen[best]).to(torch.uint8).argsort(dim=1, stable=True)[:, :kept]
        hidden = torch.ones_like(is_seen[:, 0]).scatter(1, seen, False)
        return Blocks(seen, wanted[best], hidden)

    def _sizes(self, clock: Tensor, rows: int, columns: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Height and width of the blocks to predict, and of the large one."""
        row = torch.cat([clock, torch.full_like(clock[:1], stream_of("block sizes"))])[None]
        chances = uniform(row, 3)[0].tolist()
        ranges = (self.scale, self.aspect, self.seen)
        scale, aspect, seen = (low + u * (high - low) for u, (low, high) in zip(chances, ranges, strict=True))
        return _sides(scale, aspect, rows, columns), _sides(seen, 1.0, rows, columns)


def _sides(scale: float, aspect: float, rows: int, columns: int) -> tuple[int, int]:
    area = int(rows * columns * scale)
    high, wide = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
    return min(max(high, 1), rows - 1), min(max(wide, 1), columns - 1)


def _places(
    top: Int64[Tensor, "*blocks"], left: Int64[Tensor, "*blocks"], size: tuple[int, int], columns: int
) -> Int64[Tensor, "*blocks places"]:
    """The patches of rectangles with these corners, row by row."""
    down, across = (torch.arange(side, device=top.device) for side in size)
    inside = (down[:, None] * columns + across).flatten()
    return (top * columns + left)[..., None] + inside
