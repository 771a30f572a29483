"""Jigsaw head: the tiles of a puzzle meet for the first time, to say by which permutation they were shuffled."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component, filled
from sslgraph.ranges import Count, Several


@component(source="arXiv:1603.09246, figure 3; arXiv:1905.01235, appendix, for tile_width 1000 and hidden []")
class JigsawHead(nn.Module):
    """A layer for each tile by itself, all tiles of an image side by side in order of position, a classifier on them.

    Every layer but the last is linear, BatchNorm (or none), ReLU. The paper: tile_width 1024, hidden [4096], norm none
    (and dropout, which is left out here).

    Settings:
        out: permutations to tell apart.
        tiles: of an image; its rows follow each other (image by image, as wiring.jigsaw gives them).
        tile_width: features of a tile where the tiles meet.
        hidden: widths of the layers behind.
        norm: BatchNorm in every layer but the last, or none.
        dim: features of a tile as they arrive; filled from what arrives.
    """

    def __init__(
        self,
        *,
        out: Several = 100,
        tiles: Count = 9,
        tile_width: Count = 1024,
        hidden: list[Count] = [4096],  # noqa: B006 - read as a literal by the registry, never changed
        norm: Literal["batch", "none"] = "batch",
        dim: Count | None = None,
    ) -> None:
        super().__init__()
        dim = filled(dim, "dim")
        self.tiles = tiles
        self.tile = _layer(dim, tile_width, norm)
        widths = [tiles * tile_width, *hidden]
        layers = [_layer(arriving, leaving, norm) for arriving, leaving in zip(widths, hidden, strict=False)]
        self.puzzle = nn.Sequential(*layers, nn.Linear(widths[-1], out))

    def forward(self, features: Float[Tensor, "rows dim"]) -> Float[Tensor, "batch out"]:
        if len(features) % self.tiles:
            raise ValueError(f"a puzzle has {self.tiles} tiles, and {len(features)} rows are no multiple of that")
        return self.puzzle(self.tile(features).reshape(len(features) // self.tiles, -1))  # type: ignore[no-any-return]


def _layer(arriving: int, leaving: int, norm: str) -> nn.Sequential:
    if norm == "none":
        return nn.Sequential(nn.Linear(arriving, leaving), nn.ReLU(inplace=True))
    return nn.Sequential(nn.Linear(arriving, leaving, bias=False), nn.BatchNorm1d(leaving), nn.ReLU(inplace=True))
