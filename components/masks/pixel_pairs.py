"""Pixel pairs (PixPro): which cells of two crops lie at the same place of the image they were cut from."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.ranges import Positive

from .cell_places import centres


@component(source="arXiv:2011.10043, equation 1 and section 3.1", role="mask")
class PixelPairs(nn.Module):
    """Cell i of one view and cell j of the other are a pair if their centres are near, seen in the source image.

        pair[i, j] = distance(centre[i], centre[j]) / diagonal < max_distance

    diagonal is that of a cell, of the view whose cells are larger. Places are fractions of the image's width and
    height, so in an image that is no square the distance is not the same in all directions (as in the authors' code).
    A flipped view runs from right to left. Two equal views pair each cell with itself only: neighbours of square cells
    are 1 / sqrt(2) = 0.707 diagonals apart.

    Settings:
        max_distance: in diagonals of a cell.
    """

    def __init__(self, *, max_distance: Positive = 0.7) -> None:
        super().__init__()
        self.max_distance = max_distance

    def forward(
        self,
        box: Float[Tensor, "batch 4"],
        flip: Bool[Tensor, "batch"],
        box_other: Float[Tensor, "batch 4"],
        flip_other: Bool[Tensor, "batch"],
        map: Float[Tensor, "batch dim rows columns"],
        map_other: Float[Tensor, "batch dim_other rows_other columns_other"] | None = None,
    ) -> Bool[Tensor, "batch cells cells_other"]:
        rows, columns = map.shape[2:]
        rows_other, columns_other = map.shape[2:] if map_other is None else map_other.shape[2:]
        centre, diagonal = _cells(box, flip, rows, columns)
        centre_other, diagonal_other = _cells(box_other, flip_other, rows_other, columns_other)
        distance = (centre[:, :, None] - centre_other[:, None]).square().sum(-1).sqrt()
        return distance < self.max_distance * torch.maximum(diagonal, diagonal_other)[:, None, None]


def _cells(box: Tensor, flip: Tensor, rows: int, columns: int) -> tuple[Tensor, Tensor]:
    """Centres of a view's cells, row by row [batch, cells, 2], and the diagonal of a cell [batch]; all in float32."""
    left, top, right, bottom = box.float().unbind(1)
    return centres(box, flip, rows, columns), torch.hypot((right - left) / columns, (bottom - top) / rows)
