"""Colour steps in code of their own: pixels.c, built once by the machine's compiler, or on_gpu.py by Triton on a GPU.

Where there is no compiler, or SSLGRAPH_NATIVE=0 is set, the functions here do nothing and say so, and the tensor form
of each step does the same work to the last bit, several times slower.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import IntEnum
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Float32, Int32, Int64, UInt8
from torch import Tensor

from sslgraph import c_library

# As pixels.c has them.
_COLOURS, _NUMBERS, _MOST_TAPS = 3, 6, 512
# Fewer pixels are not worth a second thread.
_ENOUGH = 2**18

Images = Float[Tensor, "batch 3 height width"]


class Operation(IntEnum):
    """What pixels.c does to the pixels of an image, and the numbers it takes for that."""

    KEEP = 0
    BRIGHTNESS = 1  # factor
    CONTRAST = 2  # factor, 1 - factor
    SATURATION = 3  # factor, 1 - factor
    HUE = 4  # how far red, green and blue lie from it, sixths of a turn
    GRAY = 5
    SOLARIZE = 6  # threshold
    NORMALIZE = 7  # means, then scales


def paint(
    images: Images, operations: Int32[Tensor, "batch steps"], numbers: Float32[Tensor, "batch steps numbers"]
) -> bool:
    """Does to each image its operations, first to last, in place; whether that could be done here."""
    if torch.compiler.is_compiling():  # a compiler fuses the tensor form
        return False
    found = on_gpu() if images.is_cuda else _library()
    if found is None or not _is_suitable(images) or numbers.shape[2] > _NUMBERS:
        return False
    numbers = torch.nn.functional.pad(numbers, (0, _NUMBERS - numbers.shape[2])).contiguous()
    if images.is_cuda:
        found.paint(images, operations, numbers)
        return True
    operations = operations.contiguous()
    (by_image, by_plane), steps, pixels = images.stride()[:2], operations.shape[1], images[0, 0].numel()

    def work(rows: range) -> None:
        some = slice(rows.start, rows.stop)
        theirs = _at(operations[some], numbers[some])
        found.paint(*_at(images[some]), by_image, by_plane, len(rows), pixels, *theirs, steps)

    _shared(len(images), pixels, work)
    return True


def blur(images: Images, rows: Int64[Tensor, "some"], weights: Float32[Tensor, "some weights"]) -> bool:
    """Blurs some of the images in place with weights from the middle outwards; whether that could be done here."""
    found, radius = _library(), weights.shape[1] - 1
    if found is None or not _is_suitable(images) or radius >= _MOST_TAPS:
        return False
    rows, weights = rows.contiguous(), weights.contiguous()
    (by_image, by_plane), (height, width) = images.stride()[:2], images.shape[2:]

    def work(part: range) -> None:
        some, space = slice(part.start, part.stop), torch.empty(height * width + width + 2 * radius)
        which, their = rows[some], weights[some]
        found.blur(
            *_at(images), by_image, by_plane, *_at(which), len(part), height, width, *_at(their), radius, *_at(space)
        )

    _shared(len(rows), height * width, work)
    return True


def unpack(
    image: UInt8[Tensor, "channels height width"], out: Float32[Tensor, "channels height width"], *, flip: bool
) -> bool:
    """Bytes to floats in 0..1, mirrored if `flip` says so; whether that could be done here."""
    found = _library()
    if found is None or len(image) != _COLOURS or image.dtype != torch.uint8 or not out.is_contiguous():
        return False
    by_plane, by_line, by_pixel = image.stride()
    found.unpack(*_at(image), by_line, by_pixel, by_plane, *image.shape[1:], flip, *_at(out))
    return True


def interleaved(images: UInt8[Tensor, "batch channels height width"]) -> UInt8[Tensor, "batch channels height width"]:
    """The same, its colours laid together pixel by pixel."""
    found = _library()
    is_plain = images.shape[1] == _COLOURS and images.is_contiguous() and images.dtype == torch.uint8
    if found is None or not is_plain:
        return images.contiguous(memory_format=torch.channels_last)
    out = torch.empty_like(images, memory_format=torch.channels_last)
    found.interleave(*_at(images), len(images), images[0, 0].numel(), *_at(out))
    return out


def _is_suitable(images: Tensor) -> bool:
    is_here = images.device.type in ("cpu", "cuda")
    is_colour = len(images) > 0 and images.shape[1] == _COLOURS
    return is_here and is_colour and images.dtype == torch.float32 and images[0, 0].is_contiguous()


def _at(*tensors: Tensor) -> tuple[int, ...]:
    return tuple(tensor.data_ptr() for tensor in tensors)


def _shared(count: int, pixels: int, work: Callable[[range], None]) -> None:
    """Each of torch's threads takes a part of the rows; the library holds no lock of Python's."""
    threads = min(torch.get_num_threads(), count, count * pixels // _ENOUGH)
    if threads < 2:
        work(range(count))
    else:
        bounds = [count * i // threads for i in range(threads + 1)]
        list(_threads(torch.get_num_threads()).map(work, map(range, bounds, bounds[1:])))


@functools.cache
def on_gpu() -> Any:
    """The kernels for a GPU, or None without Triton."""
    if importlib.util.find_spec("triton") is None:
        return None
    from . import on_gpu as kernels  # it is no light import, and there is no Triton where there is no GPU

    return kernels


@functools.cache
def _threads(number: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(number, thread_name_prefix="pixels")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_threads.cache_clear)  # threads do not come along


@functools.cache
def _library() -> ctypes.CDLL | None:
    pointer, number = ctypes.c_void_p, ctypes.c_int64
    functions = {
        "paint": [pointer, number, number, number, number, pointer, pointer, number],
        "blur": [pointer, number, number, pointer, number, number, number, pointer, number, pointer],
        "unpack": [pointer, number, number, number, number, number, number, pointer],
        "interleave": [pointer, number, number, pointer],
    }
    return c_library.built(Path(__file__).with_name("pixels.c"), functions)
