"""The encoder of DALL-E's discrete VAE: residual groups and poolings, down to a feature for each place of a grid."""

import math
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component, filled
from sslgraph.ranges import Count


class Features(NamedTuple):
    """A feature for each place, row by row, and their mean."""

    patches: Float[Tensor, "batch patches dim"]
    pooled: Float[Tensor, "batch dim"]


class Bottleneck(nn.Module):
    """x (1 x 1 where the width changes) + gain * four convolutions with a ReLU before each, three a quarter as wide."""

    def __init__(self, dim: int, out: int, kernels: tuple[int, int, int, int], gain: float) -> None:
        super().__init__()
        self.shortcut = convolution(dim, out, 1) if dim != out else nn.Identity()
        widths = (dim, *[out // 4] * 3, out)
        self.branch = nn.Sequential()
        for arriving, leaving, kernel in zip(widths[:-1], widths[1:], kernels, strict=True):
            self.branch.extend([nn.ReLU(), convolution(arriving, leaving, kernel)])
        self.gain = gain

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.gain * self.branch(x)  # type: ignore[no-any-return]


@component(source="arXiv:2102.12092, appendix A.1; openai/DALL-E, dall_e/encoder.py", title="dVAE", role="encoder")
class DvaeEncoder(nn.Module):
    """7 x 7 convolution, groups of blocks of width w, 2 w, 4 w, 8 w, each but the last followed by a pooling; a ReLU.

    Pixels come in 0..1 and are squeezed to 0.1..0.9 first, as the loss of the dVAE needs them. Four groups make one
    place of 8 x 8 pixels, so that 112 pixels have the 14 x 14 places of a ViT's 224. The scores of the codes are one
    linear layer behind (heads.linear). Weights start normal with variance 1 / fan-in, biases at 0.

    Settings:
        width: channels of the first group, a multiple of 4.
        groups: groups; the side of a place is 2 to the power of groups - 1.
        blocks: in a group.
        channels: of the image; filled from what arrives.
    """

    def __init__(
        self, *, width: Count = 256, groups: Count = 4, blocks: Count = 2, channels: Count | None = None
    ) -> None:
        super().__init__()
        channels = filled(channels, "channels")
        if width % 4:
            raise ValueError(f"a block has a quarter of its width inside, and {width} is no multiple of 4; set width")
        self.place = 2 ** (groups - 1)
        gain = 1 / (groups * blocks) ** 2
        self.layers = nn.Sequential(convolution(channels, width, 7))
        dim = width
        for group in range(groups):
            for _ in range(blocks):
                self.layers.append(Bottleneck(dim, width << group, (3, 3, 3, 1), gain))
                dim = width << group
            if group < groups - 1:
                self.layers.append(nn.MaxPool2d(2))
        self.layers.append(nn.ReLU())

    def forward(self, image: Float[Tensor, "batch channels rows columns"]) -> Features:
        if any(side % self.place for side in image.shape[2:]):
            sides = " x ".join(map(str, image.shape[2:]))
            raise ValueError(f"places of {self.place} pixels do not cut {sides}; set groups or the size of the view")
        patches = self.layers(0.8 * image + 0.1).flatten(2).transpose(1, 2)
        return Features(patches, patches.mean(1))


def convolution(dim: int, out: int, kernel: int) -> nn.Conv2d:
    """A convolution that keeps the size, with DALL-E's start."""
    layer = nn.Conv2d(dim, out, kernel, padding=kernel // 2)
    nn.init.normal_(layer.weight, std=1 / math.sqrt(layer.weight[0].numel()))
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer
