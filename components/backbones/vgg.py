"""VGG with BatchNorm: plain 3 x 3 convolutions and two dense layers, DeepCluster's large network."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component, filled
from sslgraph.draws import Draw
from sslgraph.ranges import Count, LessThanOne

from .dense_layers import Features, dropped, initialise
from .sobel import Sobel

# preset: (channels of each convolution, 0 for a max-pool), width of the dense layers, side of the map that they take
_PRESETS: dict[str, tuple[tuple[int, ...], int, int]] = {
    "vgg16": ((64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0), 4096, 7),
    "small": ((32, 0, 64, 0, 128, 0), 256, 2),
}


@component(
    source="arXiv:1409.1556, table 1, configuration D; arXiv:1807.05520, section 4, for Sobel and BatchNorm",
    role="encoder",
)
class VGG(nn.Module):
    """Convolutions, a mean over a fixed grid of places, dense, ReLU, dropout, dense, ReLU.

    `before_relu` is what DeepCluster clusters, `dense` what its classifier takes. Names of the convolutions' weights
    are those of torchvision's vgg16_bn.

    Settings:
        preset: vgg16, 13 convolutions and 4096 wide; small, 3 convolutions and 256 wide, for images of 32 pixels.
        sobel: look at edges instead of colours.
        dropout: chance that a number of the first dense layer is dropped in training.
        channels: of the image; filled from what arrives.
    """

    def __init__(
        self,
        *,
        preset: Literal["vgg16", "small"] = "vgg16",
        sobel: bool = False,
        dropout: LessThanOne = 0.5,
        channels: Count | None = None,
    ) -> None:
        super().__init__()
        channels = filled(channels, "channels")
        plan, width, side = _PRESETS[preset]
        self.dropout = dropout
        self.sobel = Sobel() if sobel else nn.Identity()
        self.features = _convolutions(plan, 2 if sobel else channels)
        self.avgpool = nn.AdaptiveAvgPool2d(side)
        self.dense1 = nn.Linear([out for out in plan if out][-1] * side**2, width)
        self.dense2 = nn.Linear(width, width)
        initialise(self)

    def forward(
        self, image: Float[Tensor, "batch channels image_rows image_columns"], draw: Draw | None = None
    ) -> Features:
        places = self.features(self.sobel(image))
        hidden = self.dense1(self.avgpool(places).flatten(1)).relu()
        before = self.dense2(dropped(hidden, self.dropout if self.training else 0.0, draw))
        return Features(before.relu(), before, places)


def _convolutions(plan: tuple[int, ...], channels: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for out in plan:
        if out == 0:
            layers.append(nn.MaxPool2d(2))
            continue
        layers += [nn.Conv2d(channels, out, 3, padding=1), nn.BatchNorm2d(out), nn.ReLU(inplace=True)]
        channels = out
    return nn.Sequential(*layers)
