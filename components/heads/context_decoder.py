"""Context decoder: paints the hole of an image from the code of its surroundings."""

from itertools import pairwise
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component, filled
from sslgraph.ranges import Count


@component(source="arXiv:1604.07379, figure 9a, in the form of the authors' inpainting code", role="decoder")
class ContextDecoder(nn.Module):
    """A transposed convolution from the code to 4 x 4, then doublings to the size of the hole.

    BatchNorm and ReLU follow each but the last. A hole of 64 pixels takes 512, 256, 128 and 64 channels, one of 16
    takes 128 and 64. Weights start normal with deviation 0.02 (those of BatchNorm around 1).

    Settings:
        size: side of the hole in pixels, a power of 2 from 8.
        width: channels before the last layer.
        channels: of the image.
        output: tanh for images in -1..1, none for images normalised otherwise.
        dim: length of the code; filled from what arrives.
    """

    def __init__(
        self,
        *,
        size: Count = 64,
        width: Count = 64,
        channels: Count = 3,
        output: Literal["tanh", "none"] = "tanh",
        dim: Count | None = None,
    ) -> None:
        super().__init__()
        dim = filled(dim, "dim")
        widths = stage_widths(size, width)[::-1]
        self.start = _painted(nn.ConvTranspose2d(dim, widths[0], 4, bias=False))
        self.doublings = nn.Sequential(
            *(_painted(nn.ConvTranspose2d(arriving, leaving, 4, 2, 1, bias=False))
              for arriving, leaving in pairwise(widths))
        )  # fmt: skip
        self.pixels = nn.ConvTranspose2d(widths[-1], channels, 4, 2, 1)
        self.output = nn.Tanh() if output == "tanh" else nn.Identity()
        initialise(self)

    def forward(self, code: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch channels size size"]:
        return self.output(self.pixels(self.doublings(self.start(code[:, :, None, None]))))  # type: ignore[no-any-return]


def stage_widths(size: int, width: int) -> list[int]:
    """Channels after each halving from `size` to 4 pixels; the widest has 8 times the first's."""
    halvings = size.bit_length() - 3
    if size != 4 << halvings or halvings < 1:
        raise ValueError(f"the hole is halved down to 4 pixels, and {size} is no power of 2 from 8 on")
    return [width] * (halvings - 4) + [width << i for i in range(min(halvings, 4))]


def initialise(net: nn.Module) -> None:
    """DCGAN's start: normal with deviation 0.02, BatchNorm's weights around 1, biases 0."""
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, std=0.02)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, mean=1.0, std=0.02)


def _painted(doubling: nn.ConvTranspose2d) -> nn.Sequential:
    return nn.Sequential(doubling, nn.BatchNorm2d(doubling.out_channels), nn.ReLU(inplace=True))
