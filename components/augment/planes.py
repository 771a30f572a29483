"""Colour arithmetic that several steps share, on the three planes of a batch of images in 0..1.

Every result is rounded after each single operation, and no sum depends on its order: compiled or not, in whatever
batch and on however many threads, a sample comes out the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, Int64
from torch import Tensor

Plane = Float[Tensor, "batch height width"]
Planes = Sequence[Plane] | Tensor  # red, green, blue; or one tensor [3, batch, height, width]

# What a core's second-level cache holds of the dozen planes that a step works with.
_CACHED_PIXELS = 2**16


def in_eager_mode_on_cpu(images: Tensor) -> bool:
    """Whether work may depend on numbers, such as which samples are chosen; compilers and GPUs would stop for them."""
    return images.device.type == "cpu" and not torch.compiler.is_compiling()


def on_rows(images: Tensor, rows: Int64[Tensor, "some"], work: Callable[[Tensor, slice], object]) -> Tensor:
    """Changes some of the images in place and returns them all; on a CPU as many at a time as a core's cache holds.

    `work` changes planes [channels, n, height, width] in place; its second argument says which of `rows` they are.
    """
    planes, (height, width) = images.unbind(1), images.shape[2:]
    is_on_cpu = images.device.type == "cpu"
    count = max(1, _CACHED_PIXELS // (height * width)) if is_on_cpu else max(1, len(rows))
    for which in (slice(first, first + count) for first in range(0, len(rows), count)):
        some = rows[which]
        if is_on_cpu and len(some) == 1:
            work(images[int(some) :][:1].transpose(0, 1), which)
            continue
        part = images.new_empty(len(planes), len(some), height, width)
        for plane, here in zip(planes, part, strict=True):
            torch.index_select(plane, 0, some, out=here)
        work(part, which)
        for plane, here in zip(planes, part, strict=True):
            plane.index_copy_(0, some, here)
    return images


def luma(planes: Planes) -> Plane:
    """Grey value with torchvision's weights (ITU-R 601)."""
    red, green, blue = planes
    gray = red * 0.2989
    gray += green * 0.587
    gray += blue * 0.114
    return gray


def mean_of(gray: Plane) -> Float[Tensor, "batch 1 1"]:
    """The mean of a plane in 0..1. Rounded to 2^-23 its values have an exact sum, which no order can change."""
    rounded = gray + 1
    rounded -= 1
    return (rounded.sum((1, 2), keepdim=True, dtype=torch.float64) / (gray.shape[1] * gray.shape[2])).float()


def sixths_of(turns: Float[Tensor, "batch"]) -> Float[Tensor, "3 batch"]:
    """How far red, green and blue lie from a hue that is turned by so many turns, in sixths of a turn, -3..3."""
    away = 6 * (turns + torch.tensor([[0.0], [-1 / 3], [1 / 3]], device=turns.device))
    return away - 6 * (away * (1 / 6)).round()


def hue_turned(planes: Planes, turns: Float[Tensor, "batch"], *, out: Planes | None = None) -> list[Plane]:
    """The colours with their hue turned in HSV; a whole turn is 1. `out` may be the planes themselves.

    Without branches, selections or quotients, which a processor pays dearly. With V the greatest and m the least of
    r, g, b and C = V - m, the hue in sixths of a turn, times C, is g + b - r + V - 2 m with the sign of g - b. A
    channel whose own hue lies x sixths from there, -6 <= x <= 6, is m + C (||x| - 3| - 1), not below m nor above V.
    """
    red, green, blue = planes
    most = torch.maximum(torch.maximum(red, green), blue)
    least = torch.minimum(torch.minimum(red, green), blue)
    chroma = most - least
    hue = green + blue
    hue -= red
    hue += most
    hue -= least
    hue -= least
    hue = torch.copysign(hue, green - blue)
    half, low = chroma * 3, chroma - least
    turned = []
    for number, sixths in enumerate(sixths_of(turns)[:, :, None, None]):
        channel = chroma * sixths
        channel += hue
        channel = channel.abs_()
        channel -= half
        channel = channel.abs_()
        channel -= low
        turned.append(torch.clamp(channel, least, most, out=None if out is None else out[number]))
    return turned
