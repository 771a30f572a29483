"""CIE Lab: an image taken apart into lightness and two colours (colorization, split-brain)."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component

# sRGB's primaries to XYZ, and white at D65, as skimage.color has them.
_TO_XYZ = ((0.412453, 0.357580, 0.180423), (0.212671, 0.715160, 0.072169), (0.019334, 0.119193, 0.950227))
_WHITE = (0.95047, 1.0, 1.08883)


class LabImage(NamedTuple):
    """Lightness less 50, from -50 to 50; green to red (a, -86 to 98) and blue to yellow (b, -108 to 94)."""

    lightness: Float[Tensor, "batch 1 height width"]
    ab: Float[Tensor, "batch 2 height width"]


@component(
    source="CIE 15; arXiv:1603.08511, section 2, for lightness - 50", title="RGB to Lab", float32=True, shows="Lab"
)
class Lab(nn.Module):
    """sRGB in 0..1 (a view without normalize) to Lab under D65; colours outside 0..1 are clipped."""

    matrix: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("matrix", torch.tensor(_TO_XYZ) / torch.tensor(_WHITE)[:, None], persistent=False)

    def forward(self, images: Float[Tensor, "batch 3 height width"]) -> LabImage:
        values = images.clamp(0, 1)
        linear = torch.where(values > 0.04045, ((values + 0.055) / 1.055) ** 2.4, values / 12.92)
        xyz = torch.einsum("cd,bdhw->bchw", self.matrix.to(linear.dtype), linear)
        root = torch.where(xyz > 0.008856, xyz.clamp_min(0.008856) ** (1 / 3), 7.787 * xyz + 16 / 116)
        x, y, z = root.unbind(1)
        ab = torch.stack([500 * (x - y), 200 * (y - z)], 1)
        return LabImage((116 * y - 66)[:, None], ab)


def to_rgb(lightness: Float[Tensor, "batch 1 height width"], ab: Float[Tensor, "batch 2 height width"]) -> Tensor:
    """The way back, clipped to the colours that sRGB can show: [batch, 3, height, width] in 0..1."""
    middle = (lightness[:, 0] + 66) / 116
    roots = torch.stack([middle + ab[:, 0] / 500, middle, middle - ab[:, 1] / 200], 1)
    xyz = torch.where(roots > 0.2068966, roots**3, (roots - 16 / 116) / 7.787)
    matrix = torch.linalg.inv(torch.tensor(_TO_XYZ, dtype=torch.float64) / torch.tensor(_WHITE)[:, None])
    linear = torch.einsum("cd,bdhw->bchw", matrix.to(xyz.dtype), xyz).clamp(0, 1)
    return torch.where(linear > 0.0031308, 1.055 * linear.clamp_min(0.0031308) ** (1 / 2.4) - 0.055, 12.92 * linear)
