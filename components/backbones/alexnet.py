"""AlexNet with BatchNorm: five convolutions and two dense layers, the network of the early pretext tasks."""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component, filled
from sslgraph.draws import Draw
from sslgraph.ranges import Count, LessThanOne

from .dense_layers import Features, dropped, initialise
from .sobel import Sobel

# channels, kernel, stride, padding, max-pool behind it
_CONVOLUTIONS = ((96, 11, 4, 2, True), (256, 5, 1, 2, True), (384, 3, 1, 1, False), (384, 3, 1, 1, False),
                 (256, 3, 1, 1, True))  # fmt: skip


@component(
    source="arXiv:1807.05520, section 4: the network of 2012 in one tower, with Sobel and BatchNorm",
    title="AlexNet",
    role="encoder",
)
class AlexNet(nn.Module):
    """Five convolutions, then twice dropout, dense, ReLU.

    `before_relu` is what DeepCluster clusters, `dense` what its classifier takes. Images of 224 pixels give a map of
    6 x 6; maps of other sides are averaged or repeated to that.

    Settings:
        sobel: look at edges instead of colours.
        dropout: chance that a number before a dense layer is dropped in training.
        hidden: width of the dense layers.
        channels: of the image; filled from what arrives.
    """

    def __init__(
        self, *, sobel: bool = False, dropout: LessThanOne = 0.5, hidden: Count = 4096, channels: Count | None = None
    ) -> None:
        super().__init__()
        channels = filled(channels, "channels")
        self.dropout = dropout
        self.sobel = Sobel() if sobel else nn.Identity()
        self.features = _convolutions(2 if sobel else channels)
        self.avgpool = nn.AdaptiveAvgPool2d(6)
        self.dense1 = nn.Linear(_CONVOLUTIONS[-1][0] * 36, hidden)
        self.dense2 = nn.Linear(hidden, hidden)
        initialise(self)

    def forward(
        self, image: Float[Tensor, "batch channels image_rows image_columns"], draw: Draw | None = None
    ) -> Features:
        places = self.features(self.sobel(image))
        chance = self.dropout if self.training else 0.0
        hidden = self.dense1(dropped(self.avgpool(places).flatten(1), chance, draw, layer=0)).relu()
        before = self.dense2(dropped(hidden, chance, draw, layer=1))
        return Features(before.relu(), before, places)


def _convolutions(channels: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for out, kernel, stride, padding, is_pooled in _CONVOLUTIONS:
        layers += [nn.Conv2d(channels, out, kernel, stride, padding), nn.BatchNorm2d(out), nn.ReLU(inplace=True)]
        if is_pooled:
            layers.append(nn.MaxPool2d(3, 2))
        channels = out
    return nn.Sequential(*layers)
