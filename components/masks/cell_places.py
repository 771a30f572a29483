"""Where the cells of a view's map lie in the image that the view was cut from (VICRegL, PixPro)."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from sslgraph.component import component


@component(source="arXiv:2210.01571, section 3.2; arXiv:2011.10043, section 3.1", title="cell places", role="mask")
class CellPlaces(nn.Module):
    """The centre (across, down) of each cell, row by row, as fractions of the image's width and height.

    A flipped view runs from right to left. The map is read for its grid alone.
    """

    def forward(
        self,
        box: Float[Tensor, "batch 4"],
        flip: Bool[Tensor, "batch"],
        map: Float[Tensor, "batch dim rows columns"],
    ) -> Float[Tensor, "batch cells 2"]:
        return centres(box, flip, map.shape[2], map.shape[3])


def centres(box: Tensor, flip: Tensor, rows: int, columns: int) -> Tensor:
    """Centres of a view's cells, row by row [batch, cells, 2], in float32."""
    left, top, right, bottom = box.float().unbind(1)
    start, end = torch.where(flip, right, left), torch.where(flip, left, right)
    across = (torch.arange(columns, device=box.device) + 0.5) / columns
    down = (torch.arange(rows, device=box.device) + 0.5) / rows
    x = start[:, None] + (end - start)[:, None] * across
    y = top[:, None] + (bottom - top)[:, None] * down
    return torch.stack([x.repeat(1, rows), y.repeat_interleave(columns, 1)], -1)
