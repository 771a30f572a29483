"""Context encoder: an image with a hole becomes one code, from which a decoder fills the hole."""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component, filled
from sslgraph.ranges import Count


class Features(NamedTuple):
    """The code, and the last map (4 x 4) before it."""

    code: Float[Tensor, "batch out"]
    map: Float[Tensor, "batch dim_map 4 4"]


@component(source="arXiv:1604.07379, figure 9a, in the form of the authors' inpainting code", role="encoder")
class ContextEncoder(nn.Module):
    """Convolutions 4 x 4 of stride 2 down to a map of 4 x 4, then one over that whole map.

    Each is followed by BatchNorm (but the first) and leaky ReLU of slope 0.2. An image of 128 pixels takes 5 halvings
    of 64, 64, 128, 256 and 512 channels, one of 32 takes 3 of 64, 128 and 256. Weights start normal with deviation
    0.02 (those of BatchNorm around 1). It has no dense layer, but works for the size of its first image only.

    Settings:
        out: length of the code.
        width: channels after the first convolution.
        channels: of the image; filled from what arrives.
        size: side of the image in pixels, a power of 2 from 16; filled from what arrives.
    """

    def __init__(
        self, *, out: Count = 4000, width: Count = 64, channels: Count | None = None, size: Count | None = None
    ) -> None:
        super().__init__()
        channels = filled(channels, "channels")
        size = filled(size, "size")
        widths = _stage_widths(size, width)
        self.halvings = nn.Sequential()
        for number, leaving in enumerate(widths):
            self.halvings.append(_halving(channels, leaving, is_first=number == 0))
            channels = leaving
        self.code = nn.Sequential(nn.Conv2d(channels, out, 4, bias=False), nn.BatchNorm2d(out), nn.LeakyReLU(0.2))
        _initialise(self)

    def forward(self, image: Float[Tensor, "batch channels size size"]) -> Features:
        places = self.halvings(image)
        return Features(self.code(places).flatten(1), places)


def _stage_widths(size: int, width: int) -> list[int]:
    """Channels after each halving from `size` to 4 pixels; the widest has 8 times the first's."""
    halvings = size.bit_length() - 3
    if size != 4 << halvings or halvings < 2:
        raise ValueError(f"a context encoder halves the image down to 4 pixels, and {size} is no power of 2 from 16 on")
    return [width] * (halvings - 4) + [width << i for i in range(min(halvings, 4))]


def _halving(arriving: int, leaving: int, *, is_first: bool) -> nn.Sequential:
    # A bias in front of BatchNorm would be void.
    convolution = nn.Conv2d(arriving, leaving, 4, stride=2, padding=1, bias=is_first)
    norm = [] if is_first else [nn.BatchNorm2d(leaving)]
    return nn.Sequential(convolution, *norm, nn.LeakyReLU(0.2))


def _initialise(net: nn.Module) -> None:
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.normal_(layer.weight, std=0.02)
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, mean=1.0, std=0.02)
