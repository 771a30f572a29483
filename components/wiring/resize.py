"""Resamples a map, or tokens that lie on a square, to a coarser or finer grid (DINOv3's Gram teacher)."""

import math
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate

from sslgraph.component import component
from sslgraph.ranges import Positive


@component(source="Keys 1981 (bicubic); arXiv:2508.10104, section 4.3", float32=True)
class Resize(nn.Module):
    """A map [batch, dim, rows, columns], or tokens [batch, rows * rows, dim], on a grid of `by` times the side.

    Cells are places of area: the new grid covers what the old one covered. Bicubic has torch's constant of -0.75.

    Settings:
        by: the side of the new grid over that of the old one; 0.5 makes one cell of four.
        method: how values between cells are read.
        antialias: average over all that a new cell covers, where the new grid is coarser.
    """

    def __init__(
        self, *, by: Positive = 0.5, method: Literal["bicubic", "bilinear"] = "bicubic", antialias: bool = False
    ) -> None:
        super().__init__()
        self.by, self.method, self.antialias = by, method, antialias

    def forward(self, features: Float[Tensor, "batch *shape"]) -> Float[Tensor, "batch *resized"]:
        if features.dim() == 4:
            return self._map(features)
        if features.dim() != 3 or math.isqrt(features.shape[1]) ** 2 != features.shape[1]:
            raise ValueError(
                "wiring.resize takes a map [batch, dim, rows, columns] or tokens [batch, tokens, dim] on a square, and "
                f"it was given [{', '.join(map(str, features.shape))}]; leave a class token out (f.patches)"
            )
        side = math.isqrt(features.shape[1])
        return self._map(features.mT.unflatten(2, (side, side))).flatten(2).mT

    def _map(self, features: Tensor) -> Tensor:
        sides = [max(1, round(side * self.by)) for side in features.shape[2:]]
        return interpolate(features, sides, mode=self.method, align_corners=False, antialias=self.antialias)
