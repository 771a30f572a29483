"""Pairs the features of neighbouring patches, with the question where the second lies (relative patch)."""

from typing import Literal, NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.ranges import Several

# Eight directions, row by row around the first patch of a pair.
_DIRECTIONS = [(row, column) for row in (-1, 0, 1) for column in (-1, 0, 1) if (row, column) != (0, 0)]


class Pairs(NamedTuple):
    """The features of two patches side by side, and the direction from the first to the second."""

    features: Float[Tensor, "pairs joined"]
    label: Int64[Tensor, "pairs"]


@component(source="arXiv:1505.05192, section 3; arXiv:1901.09005, section 4.1, for centre")
class Neighbours(nn.Module):
    """Rows of one image's patches, row by row, to pairs of neighbours; label: 0 1 2 / 3 . 4 / 5 6 7 around the first.

    Each patch is encoded once, however many pairs it is in. Turned round, a pair with label l has label 7 - l.

    Settings:
        grid: patches in a row and in a column.
        pairs: centre, the middle patch with each of its eight neighbours (all labels equally often); all, every ordered
            pair of neighbours (40 for 3 x 3).
    """

    first: Tensor
    second: Tensor
    direction: Tensor

    def __init__(self, *, grid: Several = 3, pairs: Literal["centre", "all"] = "centre") -> None:
        super().__init__()
        if pairs == "centre" and grid % 2 == 0:
            raise ValueError(f"patches.neighbours: a grid of {grid} x {grid} has no middle; write pairs: all")
        self.grid = grid
        found = list(_pairs(grid, pairs))
        for name, column in zip(("first", "second", "direction"), zip(*found, strict=True), strict=True):
            self.register_buffer(name, torch.tensor(column), persistent=False)

    def forward(self, features: Float[Tensor, "rows dim"]) -> Pairs:
        count = self.grid**2
        if len(features) % count:
            raise ValueError(f"a grid of {self.grid} has {count} patches, and {len(features)} rows are no multiple")
        patches = features.unflatten(0, (-1, count))
        joined = torch.cat([patches[:, self.first], patches[:, self.second]], 2)
        return Pairs(joined.flatten(0, 1), self.direction.repeat(len(patches)))


def _pairs(grid: int, pairs: str) -> list[tuple[int, int, int]]:
    cells = [(grid // 2, grid // 2)] if pairs == "centre" else [(i, j) for i in range(grid) for j in range(grid)]
    return [
        (row * grid + column, (row + down) * grid + column + right, label)
        for row, column in cells
        for label, (down, right) in enumerate(_DIRECTIONS)
        if 0 <= row + down < grid and 0 <= column + right < grid
    ]
