"""An image made smaller, and its quarters: what is counted in the whole is what is counted in its tiles (counting)."""

import math
from typing import Literal

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad

from sslgraph.component import component
from sslgraph.draws import integers, of_step

Kernel = Literal["area", "bilinear", "bicubic", "lanczos"]
# Pixels from the middle between two pixels, in pixels of the smaller image: 12 taps reach as far as the widest kernel.
_PLACES = [(tap - 5.5) / 2 for tap in range(12)]


# In float32: rounded pixels would tell the whole from its tiles.
@component(source="arXiv:1708.06734, sections 3 and 4.1 (kernels drawn at random)", float32=True, shows="tiles")
class WholeAndTiles(nn.Module):
    """A bag of five views of half the side: the whole image made smaller, then its four quarters, row by row.

    The kernel that makes the whole smaller is drawn for the step, so that a network can't tell whole and tiles by the
    way pixels were averaged. Beyond its edge the image continues as it is there.

    Settings:
        kernels: to draw from: area, bilinear, bicubic (-0.5) or lanczos (3 lobes), all without aliasing.
    """

    taps: Tensor

    def __init__(
        self,
        *,
        kernels: list[Kernel] = ["area", "bilinear", "bicubic", "lanczos"],  # noqa: B006 - read as a literal
    ) -> None:
        super().__init__()
        if not kernels:
            raise ValueError("patches.whole_and_tiles needs a kernel to make images smaller; set kernels")
        table = torch.tensor([[_weight(kernel, place) for place in _PLACES] for kernel in kernels])
        self.register_buffer("taps", table / table.sum(1, keepdim=True), persistent=False)

    def forward(
        self, images: Float[Tensor, "batch channels height width"], clock: Int64[Tensor, "3"]
    ) -> Float[Tensor, "views batch channels half_height half_width"]:
        height, width = images.shape[2:]
        if height % 2 or width % 2:
            raise ValueError(f"patches.whole_and_tiles halves images, and {height} x {width} has an odd side")
        drawn = integers(of_step(clock, "kernel of the whole"), 1, len(self.taps))[0, 0]
        top, bottom = images.chunk(2, 2)
        tiles = [tile for half in (top, bottom) for tile in half.chunk(2, 3)]
        return torch.stack([self._smaller(images, self.taps[drawn].to(images.dtype)), *tiles])

    @staticmethod
    def _smaller(images: Tensor, taps: Tensor) -> Tensor:
        planes = pad(images.flatten(0, 1)[:, None], (5, 5, 5, 5), mode="replicate")
        across = conv2d(planes, taps.view(1, 1, 1, -1), stride=(1, 2))
        smaller: Tensor = conv2d(across, taps.view(1, 1, -1, 1), stride=(2, 1))
        return smaller.view(*images.shape[:2], *smaller.shape[2:])


def _weight(kernel: Kernel, place: float) -> float:
    x = abs(place)
    if kernel == "area":
        return float(x < 0.5)
    if kernel == "bilinear":
        return max(0.0, 1 - x)
    if kernel == "bicubic":
        if x < 1:
            return 1.5 * x**3 - 2.5 * x**2 + 1
        return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0
    return math.sin(math.pi * x) * math.sin(math.pi * x / 3) * 3 / (math.pi * x) ** 2 if x < 3 else 0.0
