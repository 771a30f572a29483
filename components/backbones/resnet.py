"""ResNet: the convolutional network with shortcuts, on large images or, with the CIFAR stem, on small ones."""

from typing import Any, Literal, NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component, filled
from sslgraph.ranges import Count

from .residual_blocks import BasicBlock, Bottleneck, LayerNorm, Norm
from .sobel import Sobel

Block = type[BasicBlock | Bottleneck]

# depth: (block, blocks of each stage)
_DEPTHS: dict[int, tuple[Block, tuple[int, ...]]] = {
    10: (BasicBlock, (1, 1, 1, 1)),
    18: (BasicBlock, (2, 2, 2, 2)),
    34: (BasicBlock, (3, 4, 6, 3)),
    50: (Bottleneck, (3, 4, 6, 3)),
    101: (Bottleneck, (3, 4, 23, 3)),
}


class Features(NamedTuple):
    """The mean over places, the last map itself, and the maps of the stages before, the first of them first."""

    pooled: Float[Tensor, "batch dim"]
    map: Float[Tensor, "batch dim rows columns"]
    layer1: Float[Tensor, "batch dim1 rows1 columns1"]
    layer2: Float[Tensor, "batch dim2 rows2 columns2"]
    layer3: Float[Tensor, "batch dim3 rows3 columns3"]


@component(
    source="arXiv:1512.03385, table 1; the stem for small images: section 4.2 of the same paper",
    role="encoder",
    rows="raw",
)
class ResNet(nn.Module):
    """A residual network without its classifier.

    Names of weights and, at width 64 with the imagenet stem, outputs are those of torchvision's resnets (v1.5: the
    stride of a bottleneck sits in its 3 x 3 convolution).

    Settings:
        depth: layers as the paper counts them; 10 is ours, one basic block a stage, for tests on small machines.
        width: channels of the first stage; the others have 2, 4 and 8 times as many (bottlenecks put out 4 times that).
        stem: imagenet, a 7 x 7 convolution of stride 2 and a max-pool; cifar, a 3 x 3 convolution and no pool; small,
            ours, the same with stride 2: a quarter of the work, for 32 pixels on a CPU.
        zero_init_residual: start every block as the identity (its last BatchNorm's weight is 0).
        sobel: look at edges instead of colours (DeepCluster).
        norm: BatchNorm, or of each image alone over all channels and places (layer; CPC v2).
        channels: of the image; filled from what arrives.
    """

    def __init__(
        self,
        *,
        depth: Literal[10, 18, 34, 50, 101] = 50,
        width: Count = 64,
        stem: Literal["imagenet", "cifar", "small"] = "imagenet",
        zero_init_residual: bool = False,
        sobel: bool = False,
        norm: Literal["batch", "layer"] = "batch",
        channels: Count | None = None,
    ) -> None:
        super().__init__()
        channels = filled(channels, "channels")
        self.depth = depth
        self.sobel = Sobel() if sobel else nn.Identity()
        normed = nn.BatchNorm2d if norm == "batch" else LayerNorm
        self._add_stem(2 if sobel else channels, width, stem, normed)
        block, counts = _DEPTHS[depth]
        self.layer1 = _stage(block, width, width, counts[0], normed, stride=1)
        self.layer2 = _stage(block, width * block.expansion, 2 * width, counts[1], normed, stride=2)
        self.layer3 = _stage(block, 2 * width * block.expansion, 4 * width, counts[2], normed, stride=2)
        self.layer4 = _stage(block, 4 * width * block.expansion, 8 * width, counts[3], normed, stride=2)
        _initialise(self, zero_init_residual)

    def forward(self, image: Float[Tensor, "batch channels image_rows image_columns"]) -> Features:
        x = self.maxpool(self.relu(self.bn1(self.conv1(self.sobel(image)))))
        one = self.layer1(x)
        two = self.layer2(one)
        three = self.layer3(two)
        four = self.layer4(three)
        return Features(four.mean((2, 3)), four, one, two, three)

    @property
    def twins(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """The same network in torchvision and timm: of their width, with the large stem, for colours."""
        widths = (self.conv1.out_channels, self.conv1.in_channels)
        is_large = isinstance(self.maxpool, nn.MaxPool2d) and isinstance(self.sobel, nn.Identity)
        is_theirs = is_large and isinstance(self.bn1, nn.BatchNorm2d) and widths == (64, 3) and self.depth > 10
        return {library: (f"resnet{self.depth}", {}) for library in ("torchvision", "timm")} if is_theirs else {}

    def _add_stem(self, channels: int, width: int, stem: str, norm: Norm) -> None:
        kernel, stride, padding = {"imagenet": (7, 2, 3), "cifar": (3, 1, 1), "small": (3, 2, 1)}[stem]
        self.conv1 = nn.Conv2d(channels, width, kernel, stride, padding, bias=False)
        self.bn1 = norm(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1) if stem == "imagenet" else nn.Identity()


def _stage(block: Block, arriving: int, width: int, count: int, norm: Norm, *, stride: int) -> nn.Sequential:
    leaving = width * block.expansion
    shortcut = None
    if stride != 1 or arriving != leaving:
        shortcut = nn.Sequential(nn.Conv2d(arriving, leaving, 1, stride, bias=False), norm(leaving))
    first = block(arriving, width, stride, shortcut, norm)
    return nn.Sequential(first, *(block(leaving, width, norm=norm) for _ in range(count - 1)))


def _initialise(net: nn.Module, zero_init_residual: bool) -> None:
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
        if zero_init_residual and isinstance(layer, BasicBlock | Bottleneck):
            nn.init.zeros_(layer.get_parameter("bn3.weight" if isinstance(layer, Bottleneck) else "bn2.weight"))
