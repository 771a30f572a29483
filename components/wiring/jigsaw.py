"""Cuts an image into tiles and shuffles them by a permutation of a fixed set, whose number is the label (jigsaw)."""

import math
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn.functional import pad

from sslgraph import draws
from sslgraph.component import component
from sslgraph.draws import Draw
from sslgraph.ranges import Count, Several

from .orders import Choice, chosen, numbered

PICTURES = ("image", "shuffled", "solved")
# Orders that are kept in a table; more than these are made from their number.
_MOST = 5040


class Puzzle(NamedTuple):
    """The tiles of all images, image by image in shuffled order, and the permutation of each image."""

    tiles: Float[Tensor, "rows channels side side"]
    label: Int64[Tensor, "batch"]


@component(source="arXiv:1603.09246, section 4 and Algorithm 1", shows="shuffled", idea="jigsaw tiles")
class Jigsaw(nn.Module):
    """Position s of an image's puzzle holds tile orders[label][s]; tiles count row by row.

    A tile is cut at a random place of its cell, so that neighbours do not join, and standardised by itself, so that
    light does not tell neighbours. Both are drawn for the tile and not for the position.

    Settings:
        grid: cells in a row and in a column.
        tile: side of a tile in pixels; a cell is the image's side / grid (rounded down).
        permutations: classes.
        choose: max_min, orders far apart, each new one as far as possible from those before (generated, always the
            same); max_mean, the same by the mean distance, as the authors do it (two orders may differ in two tiles
            only); algebraic, maps of a field: 72, 504 or 1512 for 3 x 3, where any two are alike in one, two or three
            positions at most, 12 for 2 x 2; all, every order there is (24, or 362,880), the class its number.
        standardize: bring each tile to mean 0 and variance 1.
    """

    orders: Tensor | None

    def __init__(
        self,
        *,
        grid: Literal[2, 3] = 3,
        tile: Count = 64,
        permutations: Several = 100,
        choose: Literal["max_min", "max_mean", "algebraic", "all"] = "max_min",
        standardize: bool = True,
    ) -> None:
        super().__init__()
        if grid not in (2, 3):
            raise ValueError(f"wiring.jigsaw makes puzzles of 2 x 2 or 3 x 3 tiles, and grid is {grid}")
        self.grid = grid
        self.tile = tile
        self.standardize = standardize
        self.count = permutations
        self.register_buffer("orders", _table(choose, grid**2, permutations))

    def bounds(self) -> dict[str, tuple[int, int]]:
        """What the whole numbers that it holds may be: places of tiles."""
        return {} if self.orders is None else {"orders": (0, self.grid**2 - 1)}

    def forward(self, images: Float[Tensor, "batch channels height width"], draw: Draw) -> Puzzle:
        label = draws.integers(draws.substream(draw, 0), 1, self.count)[:, 0]
        rows, columns = self._corners(images, draw)
        order = numbered(label, self.grid**2) if self.orders is None else self.orders[label]
        tiles = self._cut(images, rows.gather(1, order), columns.gather(1, order))
        return Puzzle(_standard(tiles) if self.standardize else tiles, label)

    def pictures(
        self,
        images: Float[Tensor, "batch channels height width"],
        draw: Draw,
        told_label: Float[Tensor, "batch permutations"],
    ) -> dict[str, Tensor]:
        """The tiles in their places, as they are shuffled, and put back as the permutation that is told says."""
        label = draws.integers(draws.substream(draw, 0), 1, self.count)[:, 0]
        rows, columns = self._corners(images, draw)
        told = told_label.argmax(-1)
        order, back = (numbered(n, self.grid**2) if self.orders is None else self.orders[n] for n in (label, told))
        tiles = self._cut(images, rows.gather(1, order), columns.gather(1, order)).unflatten(0, order.shape)
        put = [torch.zeros_like(tiles).scatter_(1, to[:, :, None, None, None].expand_as(tiles), tiles)
               for to in (order, back)]  # fmt: skip
        return {name: _laid(some, self.grid) for name, some in zip(PICTURES, (put[0], tiles, put[1]), strict=True)}

    def _corners(self, images: Tensor, draw: Tensor) -> tuple[Tensor, Tensor]:
        """Row and column of the upper left corner of every tile, [batch, tiles]."""
        height, width = images.shape[2] // self.grid, images.shape[3] // self.grid
        if min(height, width) < self.tile:
            raise ValueError(
                f"wiring.jigsaw cuts tiles of {self.tile} pixels from cells of {height} x {width}; make the tile "
                f"smaller, or the view larger: at least {self.grid * self.tile} pixels a side"
            )
        count = self.grid**2
        cell = torch.arange(count, device=images.device)
        down = draws.integers(draws.substream(draw, 1), count, height - self.tile + 1)
        right = draws.integers(draws.substream(draw, 2), count, width - self.tile + 1)
        return cell // self.grid * height + down, cell % self.grid * width + right

    def _cut(self, images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        side = torch.arange(self.tile, device=images.device)
        image = torch.arange(len(images), device=images.device)[:, None, None, None]
        pixels = images.movedim(1, -1)[
            image, (rows[..., None] + side)[..., :, None], (columns[..., None] + side)[..., None, :]
        ]
        return pixels.movedim(-1, 2).flatten(0, 1)


def _laid(tiles: Float[Tensor, "batch tiles channels side side"], grid: int) -> Tensor:
    """Tiles row by row as one image, nan between them."""
    gap = max(1, tiles.shape[-1] // 16)
    apart = pad(tiles, (0, gap, 0, gap), value=torch.nan).unflatten(1, (grid, grid))
    whole: Tensor = apart.permute(0, 3, 1, 4, 2, 5).flatten(4, 5).flatten(2, 3)
    return whole[..., :-gap, :-gap]


def _standard(tiles: Tensor) -> Tensor:
    variance, mean = torch.var_mean(tiles, (1, 2, 3), correction=0, keepdim=True)
    return (tiles - mean) * (variance + 1e-6).rsqrt()


def _table(choose: Choice, tiles: int, count: int) -> Tensor | None:
    """The orders to draw from, [orders, tiles]; None where they are all and too many to keep."""
    if choose != "all":
        return torch.tensor(chosen(choose, tiles, count))
    if count != (known := math.factorial(tiles)):
        raise ValueError(
            f"wiring.jigsaw: choose: all knows {known} permutations of {tiles} tiles; set permutations: {known}"
        )
    return numbered(torch.arange(count), tiles) if count <= _MOST else None
