"""Colour arithmetic that several steps share, on the three planes of a batch of images in 0..1."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

Plane = Float[Tensor, "batch height width"]
Planes = tuple[Plane, ...]  # red, green, blue


def luma(planes: Planes) -> Plane:
    """Grey value with torchvision's weights (ITU-R 601)."""
    red, green, blue = planes
    return red * 0.2989 + green * 0.587 + blue * 0.114


def hue_turned(planes: Planes, turns: Float[Tensor, "batch"]) -> Planes:
    """The colours with their hue turned in HSV; a whole turn is 1.

    HSV back to RGB without branches: a channel whose own hue lies d of a turn away from hue H, the shorter way round,
    is V - C clamp(6 d - 1, 0, 1).
    """
    red, green, blue = planes
    value = torch.maximum(torch.maximum(red, green), blue)
    chroma = value - torch.minimum(torch.minimum(red, green), blue)
    # Where a pixel is grey the differences are 0, and so is its hue.
    sixth = (1 / 6) / chroma.clamp(min=1e-12)
    from_red, from_green = (green - blue).mul_(sixth), (blue - red).mul_(sixth).add_(1 / 3)
    from_blue = (red - green).mul_(sixth).add_(2 / 3)
    hue = torch.where(value == red, from_red, torch.where(value == green, from_green, from_blue))
    hue = hue.add_(turns[:, None, None])
    return (
        _channel(hue, value, chroma),
        _channel(hue - 1 / 3, value, chroma),
        _channel(hue - 2 / 3, value, chroma),
    )


def _channel(away: Plane, value: Plane, chroma: Plane) -> Plane:
    distance = (away - away.round()).abs_()
    return torch.addcmul(value, chroma, distance.mul_(6).sub_(1).clamp_(0, 1), value=-1)
