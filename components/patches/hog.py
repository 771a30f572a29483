"""Histograms of oriented gradients: which way edges run in each cell of an image, patch by patch (MaskFeat)."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import conv2d, normalize, pad

from sslgraph.component import component
from sslgraph.ranges import Count, Several, Whole

_SLOPE = ((1.0, 0.0, -1.0), (2.0, 0.0, -2.0), (1.0, 0.0, -1.0))


@component(
    source="arXiv:2112.09133, section 3.3; facebookresearch/SlowFast, operators.py (HOGLayerC)",
    title="HOG",
    detached=("image",),
    float32=True,
)
class HOG(nn.Module):
    """[batch, channels, height, width] to [batch, patches, channels * bins * cells of a patch].

    Of each pixel and channel Sobel's slopes gx, gy (the border mirrored), its strength |(gx, gy)| and its bin
    floor(atan2(gx, gy) / pi * bins) modulo bins: opposite slopes are one. A cell's histogram is the sum of strengths by
    bin, of unit length. Patches go row by row; the numbers of one by channel, then bin, then cell.

    Settings:
        bins: directions over half a turn.
        cell: side of a cell in pixels.
        patch: side of a patch in pixels, a multiple of cell.
        window: strengths are weighted by a Gaussian over each square of this side, of half of it for deviation; 0 for
            none. The authors' code has 16.
    """

    weights: Tensor

    def __init__(self, *, bins: Several = 9, cell: Count = 8, patch: Count = 16, window: Whole = 0) -> None:
        super().__init__()
        if patch % cell:
            raise ValueError(f"cells of {cell} pixels do not cut patches of {patch}; set cell or patch")
        self.bins, self.cell, self.patch, self.window = bins, cell, patch, window
        along = torch.arange(window) - (window - 1) / 2
        bell = torch.exp(-0.5 * (along / max(1, window // 2)).square())
        product = bell[:, None] * bell
        self.register_buffer("weights", product / product.sum() if window else torch.ones(1, 1), persistent=False)

    def forward(self, image: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch patches numbers"]:
        height, width = image.shape[2:]
        for side in (self.patch, self.window or 1):
            if height % side or width % side:
                what, setting = ("patches", "patch") if side == self.patch else ("windows", "window")
                raise ValueError(f"{what} of {side} pixels do not divide {height} x {width}; set {setting}")
        slope = torch.tensor(_SLOPE, dtype=image.dtype, device=image.device)
        both = torch.stack([slope, slope.T])[:, None]
        planes = pad(image.detach(), (1, 1, 1, 1), mode="reflect").flatten(0, 1)[:, None]
        across, down = conv2d(planes, both).unbind(1)
        strength = torch.hypot(across, down) * self._window(height, width)
        bins = (torch.atan2(across, down) / math.pi * self.bins).floor().long() % self.bins
        spread = strength.new_zeros(len(planes), self.bins, height, width).scatter(1, bins[:, None], strength[:, None])
        cells = spread.unflatten(3, (-1, self.cell)).sum(4).unflatten(2, (-1, self.cell)).sum(3)
        return self._by_patch(normalize(cells, dim=1).unflatten(0, image.shape[:2]))

    def _window(self, height: int, width: int) -> Tensor:
        side = self.window or 1
        return self.weights.repeat(height // side, width // side)

    def _by_patch(self, cells: Float[Tensor, "batch channels bins down across"]) -> Tensor:
        times = self.patch // self.cell
        split = cells.unflatten(4, (-1, times)).unflatten(3, (-1, times))
        return split.permute(0, 3, 5, 1, 2, 4, 6).flatten(3).flatten(1, 2)  # type: ignore[no-any-return]
