"""Colour steps and interpolation weights on a GPU, one kernel a call, in Triton, which comes with torch for CUDA.

As tensor operations they are some 600 launches a batch: each ends in microseconds, but the processor needs longer to
launch them than a GPU needs for the training step.
"""

# mypy: disallow-untyped-decorators=False, disallow-untyped-defs=False, disallow-incomplete-defs=False
from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
import triton
import triton.language as tl
from jaxtyping import Float, Float32, Int32, Int64
from torch import Tensor

_BLOCK = 1024  # pixels that a program works on at a time
_ROUNDED = {"enable_fp_fusion": False}  # every operation by itself, as on a processor: no fused multiply-adds
# As pixels.c numbers them.
_CONTRAST = tl.constexpr(2)
_NUMBERS = tl.constexpr(6)


def paint(
    images: Float[Tensor, "batch 3 height width"],
    operations: Int32[Tensor, "batch steps"],
    numbers: Float32[Tensor, "batch steps 6"],
) -> None:
    """Does to each image its operations, first to last, in place, as pixels.c does."""
    by_image, by_plane = images.stride()[:2]
    steps, pixels = operations.shape[1], images[0, 0].numel()
    with _device(images):
        _paint[(len(images),)](
            images, operations.contiguous(), numbers.contiguous(), by_image, by_plane, pixels, steps,
            BLOCK=_BLOCK, **_ROUNDED,
        )  # fmt: skip


def weights(
    axis: Int64[Tensor, "5 rows"], inputs: int, outputs: int, *, unit: float, is_cubic: bool
) -> Float[Tensor, "rows outputs inputs"]:
    """What each output pixel takes of each input pixel, times `unit`: resample.weights in one kernel.

    The rows of `axis` are start, length, grid, offset, and 1 where the row is mirrored.
    """
    rows = axis.shape[1]
    matrix = torch.empty(rows, outputs, inputs, device=axis.device)
    block = triton.next_power_of_2(inputs)
    with _device(matrix):
        _weights[(rows, outputs)](axis, matrix, rows, outputs, inputs, unit, CUBIC=is_cubic, BLOCK=block, **_ROUNDED)
    return matrix


def _device(tensor: Tensor) -> AbstractContextManager[object]:
    """Triton launches on the thread's own device, and the thread that makes views was told of none."""
    return torch.cuda.device(tensor.device) if tensor.is_cuda else nullcontext()


@triton.jit
def _luma(r, g, b):
    return r * 0.2989 + g * 0.587 + b * 0.114


@triton.jit
def _unit(x):
    return tl.minimum(tl.maximum(x, 0.0), 1.0)


@triton.jit
def _turned(chroma, sixths, hue, half, low, least, most):
    return tl.minimum(tl.maximum(tl.abs(tl.abs(chroma * sixths + hue) - half) - low, least), most)


@triton.jit
def _changed(what, n, mean, r, g, b):
    n0, n1, n2 = tl.load(n), tl.load(n + 1), tl.load(n + 2)
    if what == 1:  # brightness
        r, g, b = _unit(r * n0), _unit(g * n0), _unit(b * n0)
    elif what == 2:  # contrast
        added = n1 * mean
        r, g, b = _unit(r * n0 + added), _unit(g * n0 + added), _unit(b * n0 + added)
    elif what == 3:  # saturation
        more = n1 * _luma(r, g, b)
        r, g, b = _unit(r * n0 + more), _unit(g * n0 + more), _unit(b * n0 + more)
    elif what == 4:  # hue
        most, least = tl.maximum(tl.maximum(r, g), b), tl.minimum(tl.minimum(r, g), b)
        chroma = most - least
        size = tl.abs(g + b - r + most - least - least)
        hue = tl.where(g - b < 0, -size, size)
        half, low = chroma * 3.0, chroma - least
        r = _turned(chroma, n0, hue, half, low, least, most)
        g = _turned(chroma, n1, hue, half, low, least, most)
        b = _turned(chroma, n2, hue, half, low, least, most)
    elif what == 5:  # grey
        gray = _luma(r, g, b)
        r, g, b = gray, gray, gray
    elif what == 6:  # solarise
        r, g, b = tl.where(r >= n0, 1.0 - r, r), tl.where(g >= n0, 1.0 - g, g), tl.where(b >= n0, 1.0 - b, b)
    elif what == 7:  # normalise
        r, g, b = (r - n0) * tl.load(n + 3), (g - n1) * tl.load(n + 4), (b - n2) * tl.load(n + 5)
    return r, g, b


@triton.jit
def _paint(
    images, operations, numbers, by_image, by_plane, pixels, steps,
    BLOCK: tl.constexpr,
):  # fmt: skip
    image = tl.program_id(0).to(tl.int64)
    red, lane = images + image * by_image, tl.arange(0, BLOCK)
    for step in range(0, steps):
        at = image * steps + step
        what, n = tl.load(operations + at), numbers + at * _NUMBERS
        mean = 0.0
        if what == _CONTRAST:
            total = tl.zeros((BLOCK,), tl.int64)  # of grey values in units of 2^-23: exact in whatever order
            for first in range(0, pixels, BLOCK):
                p, here = red + first + lane, first + lane < pixels
                r, g, b = (
                    tl.load(p, here, 0.0), tl.load(p + by_plane, here, 0.0), tl.load(p + 2 * by_plane, here, 0.0)
                )  # fmt: skip
                total += (((_luma(r, g, b) + 1.0) - 1.0) * 8388608.0).to(tl.int64)
            mean = (tl.sum(total, 0).to(tl.float64) / 8388608.0 / pixels).to(tl.float32)
        if what != 0:
            for first in range(0, pixels, BLOCK):
                p, here = red + first + lane, first + lane < pixels
                r, g, b = (
                    tl.load(p, here, 0.0), tl.load(p + by_plane, here, 0.0), tl.load(p + 2 * by_plane, here, 0.0)
                )  # fmt: skip
                r, g, b = _changed(what, n, mean, r, g, b)
                tl.store(p, r, here)
                tl.store(p + by_plane, g, here)
                tl.store(p + 2 * by_plane, b, here)


@triton.jit
def _kernel(distance, CUBIC: tl.constexpr):
    if CUBIC:
        near, far = tl.minimum(distance, 1.0), tl.minimum(tl.maximum(distance, 1.0), 2.0)
        return (1.5 * near - 2.5) * near * near + 1 + (((far - 5) * far + 8) * far * -0.5 + 2)
    return tl.maximum(1.0 - distance, 0.0)


@triton.jit
def _weights(axis, matrix, rows, outputs, inputs, unit, CUBIC: tl.constexpr, BLOCK: tl.constexpr):
    row, output = tl.program_id(0), tl.program_id(1)
    start, length = tl.load(axis + row), tl.load(axis + rows + row)
    grid, offset = tl.load(axis + 2 * rows + row), tl.load(axis + 3 * rows + row)
    flip = tl.load(axis + 4 * rows + row)
    seen = tl.abs(tl.where(flip != 0, outputs - 1 - output, output) + offset)
    seen = tl.where(seen > grid - 1, 2 * (grid - 1) - seen, seen).to(tl.float32)  # mirrored at the border
    scale = tl.math.div_rn(length.to(tl.float32), grid.to(tl.float32))
    reach, centre = tl.maximum(scale, 1.0), scale * (seen + 0.5)
    radius = 2.0 if CUBIC else 1.0
    first = tl.maximum((centre - radius * reach + 0.5).to(tl.int64), 0)
    last = tl.minimum((centre + radius * reach + 0.5).to(tl.int64), length)
    column = tl.arange(0, BLOCK)
    position = column - start
    weight = _kernel(tl.abs(tl.math.div_rn(position.to(tl.float32) - centre + 0.5, reach)), CUBIC)
    weight = tl.where((position >= first) & (position < last), weight, 0.0)
    weight = tl.math.div_rn(weight, tl.sum(weight, 0)) * unit
    place = matrix + (row.to(tl.int64) * outputs + output) * inputs + column
    tl.store(place, weight, column < inputs)
