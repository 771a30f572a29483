"""The two blocks of residual networks, with torchvision's names of weights and order of initial draws.

torchvision's own are the same; its import brings all its nets, and with them torch's compiler: two seconds that a small
run does not need.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

Norm = Callable[[int], nn.Module]


class LayerNorm(nn.GroupNorm):
    """Of each image alone, over all channels and places, with a scale and a shift for each channel."""

    def __init__(self, channels: int) -> None:
        super().__init__(1, channels)


class BasicBlock(nn.Module):
    """relu(bn(3 x 3(relu(bn(3 x 3(x))))) + shortcut(x)); the first convolution has the stride."""

    expansion = 1

    def __init__(
        self,
        arriving: int,
        width: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        norm: Norm = nn.BatchNorm2d,
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(arriving, width, 3, stride, padding=1, bias=False)
        self.bn1 = norm(width)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = norm(width)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        out += x if self.downsample is None else self.downsample(x)
        return self.relu(out)  # type: ignore[no-any-return]


class Bottleneck(nn.Module):
    """1 x 1, 3 x 3 with the stride, 1 x 1 to `expansion` times the width, each with BatchNorm; and the shortcut."""

    expansion = 4

    def __init__(
        self,
        arriving: int,
        width: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        norm: Norm = nn.BatchNorm2d,
    ) -> None:
        super().__init__()
        leaving = width * self.expansion
        self.conv1 = nn.Conv2d(arriving, width, 1, bias=False)
        self.bn1 = norm(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn2 = norm(width)
        self.conv3 = nn.Conv2d(width, leaving, 1, bias=False)
        self.bn3 = norm(leaving)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        out += x if self.downsample is None else self.downsample(x)
        return self.relu(out)  # type: ignore[no-any-return]
