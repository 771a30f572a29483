"""Cuts an image into a grid of patches, apart or overlapping, each perhaps shifted by chance (relative patch, CPC)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.draws import Draw, integers, substream
from sslgraph.ranges import Count, Whole


@component(
    source="arXiv:1505.05192, section 3 (gap and jitter); arXiv:1905.09272, section 3 (overlapping patches)",
    shows="tiles",
)
class Grid(nn.Module):
    """[batch, channels, rows, columns] to [batch * grid^2, channels, size, size], image by image, row by row.

        corner[i, j] = margin + stride * (i, j) + shift,     shift uniform on 0..jitter in both directions

    A stride above `size` leaves a gap, so that no edge runs on from patch to patch; one below it overlaps them. The
    jitter is drawn for each patch. What the grid leaves over of the image is an equal margin on all sides.

    Settings:
        grid: patches in a row and in a column.
        size: side of a patch in pixels.
        stride: pixels from one patch to the next.
        jitter: the largest shift in pixels.
    """

    def __init__(self, *, grid: Count = 3, size: Count = 64, stride: Count = 85, jitter: Whole = 0) -> None:
        super().__init__()
        self.grid = grid
        self.size = size
        self.stride = stride
        self.jitter = jitter

    def forward(
        self, images: Float[Tensor, "batch channels height width"], draw: Draw
    ) -> Float[Tensor, "rows channels size size"]:
        least = (self.grid - 1) * self.stride + self.size + self.jitter
        if min(images.shape[2:]) < least:
            raise ValueError(
                f"patches.grid needs images of at least {least} x {least} pixels for {self.grid} x {self.grid} patches,"
                f" and these have {images.shape[2]} x {images.shape[3]}; make the view larger or the patches smaller"
            )
        count = self.grid**2
        place = torch.arange(count, device=images.device)
        corners = [
            (side - least) // 2 + self.stride * cell + integers(substream(draw, number), count, self.jitter + 1)
            for number, (side, cell) in enumerate(
                [(images.shape[2], place // self.grid), (images.shape[3], place % self.grid)]
            )
        ]
        return cut(images, corners[0], corners[1], self.size)


def cut(
    images: Float[Tensor, "batch channels height width"], rows: Tensor, columns: Tensor, size: int
) -> Float[Tensor, "patches channels size size"]:
    """The squares whose upper left corners are these [batch, patches], image by image."""
    side = torch.arange(size, device=images.device)
    image = torch.arange(len(images), device=images.device)[:, None, None, None]
    pixels = images.movedim(1, -1)[
        image, (rows[..., None] + side)[..., :, None], (columns[..., None] + side)[..., None, :]
    ]
    return pixels.movedim(-1, 2).flatten(0, 1)
