"""Cuts an image into tiles and shuffles them by a permutation of a fixed set, whose number is the label (jigsaw)."""

import itertools
import random
from collections.abc import Callable
from functools import cache
from typing import Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from sslgraph import draws
from sslgraph.component import component
from sslgraph.draws import Draw
from sslgraph.ranges import Count, Several

Order = tuple[int, ...]


class Puzzle(NamedTuple):
    """The tiles of all images, image by image in shuffled order, and the permutation of each image."""

    tiles: Float[Tensor, "rows channels side side"]
    label: Int64[Tensor, "batch"]


@component(source="arXiv:1603.09246, section 4 and Algorithm 1")
class Jigsaw(nn.Module):
    """Position s of an image's puzzle holds tile orders[label][s]; tiles count row by row.

    A tile is cut at a random place of its cell, so that neighbours do not join, and standardised by itself, so that
    light does not tell neighbours. Both are drawn for the tile and not for the position.

    Settings:
        grid: cells in a row and in a column.
        tile: side of a tile in pixels; a cell is the image's side / grid (rounded down).
        permutations: classes.
        choose: max_min, orders far apart, each new one as far as possible from those before (generated, always the
            same); algebraic, the affine maps of the field with grid^2 elements (72 for 3 x 3, any two alike in one
            position at most; 12 for 2 x 2); all, every order there is (24 for 2 x 2).
        standardize: bring each tile to mean 0 and variance 1.
    """

    orders: Tensor

    def __init__(
        self,
        *,
        grid: Literal[2, 3] = 3,
        tile: Count = 64,
        permutations: Several = 100,
        choose: Literal["max_min", "algebraic", "all"] = "max_min",
        standardize: bool = True,
    ) -> None:
        super().__init__()
        if grid not in (2, 3):
            raise ValueError(f"wiring.jigsaw makes puzzles of 2 x 2 or 3 x 3 tiles, and grid is {grid}")
        self.grid = grid
        self.tile = tile
        self.standardize = standardize
        self.register_buffer("orders", torch.tensor(_orders(choose, grid**2, permutations)))

    def bounds(self) -> dict[str, tuple[int, int]]:
        """What the whole numbers that it holds may be: places of tiles."""
        return {"orders": (0, self.grid**2 - 1)}

    def forward(self, images: Float[Tensor, "batch channels height width"], draw: Draw) -> Puzzle:
        label = draws.integers(draws.substream(draw, 0), 1, len(self.orders))[:, 0]
        rows, columns = self._corners(images, draw)
        order = self.orders[label]
        tiles = self._cut(images, rows.gather(1, order), columns.gather(1, order))
        return Puzzle(_standard(tiles) if self.standardize else tiles, label)

    def _corners(self, images: Tensor, draw: Tensor) -> tuple[Tensor, Tensor]:
        """Row and column of the upper left corner of every tile, [batch, tiles]."""
        height, width = images.shape[2] // self.grid, images.shape[3] // self.grid
        if min(height, width) < self.tile:
            raise ValueError(
                f"wiring.jigsaw cuts tiles of {self.tile} pixels from cells of {height} x {width}; "
                "make the tile smaller or the view larger"
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


def _standard(tiles: Tensor) -> Tensor:
    variance, mean = torch.var_mean(tiles, (1, 2, 3), correction=0, keepdim=True)
    return (tiles - mean) * (variance + 1e-6).rsqrt()


def _orders(choose: str, tiles: int, count: int) -> list[Order]:
    known: dict[str, Callable[[int, int], list[Order]]] = {"max_min": _farthest, "algebraic": _affine, "all": _every}
    found = known[choose](tiles, count)
    if len(found) != count:
        raise ValueError(
            f"wiring.jigsaw: choose: {choose} knows {len(found)} permutations of {tiles} tiles; "
            f"set permutations: {len(found)} (it is {count})"
        )
    return found


def _every(tiles: int, _: int) -> list[Order]:
    return list(itertools.permutations(range(tiles)))


@cache
def _farthest(tiles: int, count: int) -> list[Order]:
    """Greedy: the order whose least Hamming distance to those chosen is largest; ties fall to a fixed random one."""
    every = _every(tiles, count)
    columns = np.array(every, dtype=np.uint8).T.copy()
    distance = np.full(len(every), tiles, dtype=np.uint8)
    # Only random() gives the same numbers in every version of Python.
    ties, chosen = random.Random(0), []
    for _ in range(min(count, len(every))):
        farthest = np.flatnonzero(distance == distance.max())
        newest = int(farthest[int(ties.random() * len(farthest))])
        chosen.append(every[newest])
        distance = np.minimum(distance, (columns != columns[:, newest, None]).sum(0, dtype=np.uint8))
    return chosen


def _affine(tiles: int, _: int) -> list[Order]:
    """x -> slope x + shift over the field of 4 or 9 elements, slope not 0: two maps agree in one element at most."""
    prime = {4: 2, 9: 3}[tiles]
    slopes, shifts = range(1, tiles), range(tiles)
    return [
        tuple(_plus(_times(slope, x, prime), shift, prime) for x in range(tiles))
        for slope, shift in itertools.product(slopes, shifts)
    ]


def _plus(one: int, other: int, prime: int) -> int:
    """Element a + b z of the field is the number a + prime b."""
    return (one + other) % prime + prime * ((one // prime + other // prime) % prime)


def _times(one: int, other: int, prime: int) -> int:
    """Multiplication with z^2 = 1 + z over 2, z^2 = -1 over 3."""
    (b, a), (d, c) = divmod(one, prime), divmod(other, prime)
    carry = b * d
    return (a * c + carry * (1 if prime == 2 else -1)) % prime + prime * (
        (a * d + b * c + carry * (1 if prime == 2 else 0)) % prime
    )
