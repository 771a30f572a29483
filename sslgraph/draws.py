"""Random numbers as a pure function of (seed, epoch, sample, stream): Philox-4x32-10 in int64 tensor operations.

Salmon et al., Parallel random numbers: as easy as 1, 2, 3 (SC 2011). No state and no generator: the order of calls,
the batch, the rank and the device do not matter, so runs may stop, resume and be sharded and still draw the same.
"""

from __future__ import annotations

import ctypes
import functools
import math
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from sslgraph import c_library

_LOW = 0xFFFFFFFF

# One row a sample: seed, epoch, sample index, stream. What a part with an input port `draw` receives.
Draw = Int64[Tensor, "batch 4"]


def stream_of(name: str) -> int:
    """A stable number below 2**16 for a named stream, so that adding one does not reshuffle the others."""
    return zlib.crc32(name.encode()) & 0xFFFF


def keyed(seed: int, epoch: int | Tensor, index: Int64[Tensor, "batch"], stream: int | Tensor = 0) -> Draw:
    """The rows from which everything random about these samples is drawn; epoch may be a 0-d tensor (no recompile)."""
    columns = [torch.full_like(index, seed), torch.zeros_like(index) + epoch, index, torch.zeros_like(index) + stream]
    return torch.stack(columns, 1)


def of_step(clock: Int64[Tensor, "3"], name: str) -> Draw:
    """The one row from which a step draws what all images share; seed, epoch, step and the name alone decide it."""
    return torch.cat([clock, torch.full_like(clock[:1], stream_of(name))])[None]


def substream(draw: Draw, number: int, copies: int = 1, parts: int = 1) -> Draw:
    """The same samples in another stream, each row with numbers of its own.

    Given are `copies` of all samples, one copy after another; in each the `parts` of a sample follow each other.

    A stream is 32 bits: number << 16 | the stream before, mixed; copy i of a bag is number + (i << 24) before mixing.
    """
    rows = draw.repeat(copies, 1).repeat_interleave(parts, 0)
    place = torch.arange(copies * parts, device=draw.device).view(copies, 1, parts)
    copy = place.expand(-1, len(draw), -1).flatten()
    mixed = (rows[:, 3] * 0x9E3779B1 + (number + 1) * 0x85EBCA6B + copy * 0xC2B2AE35) & _LOW
    return torch.stack([rows[:, 0], rows[:, 1], rows[:, 2], mixed], 1)


def words(draw: Draw, count: int) -> Int64[Tensor, "batch count"]:
    """`count` independent uniform 32-bit words for each sample."""
    if (native := _in_c(draw, count)) is not None:
        return native
    blocks = torch.arange((count + 3) // 4, device=draw.device)[None].expand(len(draw), -1)
    seed = draw[:, :1]
    epoch, index, stream = (column[:, None].expand_as(blocks) for column in draw[:, 1:].unbind(1))
    counter = (index & _LOW, epoch & _LOW, stream & _LOW, blocks | ((index >> 32) << 16))
    out = philox(counter, (seed & _LOW, (seed >> 32) & _LOW))
    return torch.stack(out, -1).flatten(1)[:, :count]


def uniform(draw: Draw, count: int, low: float = 0.0, high: float = 1.0) -> Float64[Tensor, "batch count"]:
    """Uniform numbers in [low, high) with 24 random bits, so that they are exact in float32 and float64."""
    return (words(draw, count) >> 8).double() * 2.0**-24 * (high - low) + low


def normal(draw: Draw, count: int) -> Float64[Tensor, "batch count"]:
    """Standard normal numbers (Box-Muller, float64); round to float32 before use to be equal on every processor."""
    u = uniform(draw, 2 * count)
    return torch.sqrt(-2 * torch.log1p(-u[:, :count])) * torch.cos(2 * math.pi * u[:, count:])


def integers(draw: Draw, count: int, high: int) -> Int64[Tensor, "batch count"]:
    """Whole numbers in [0, high), high < 2**31, by integer arithmetic only."""
    return (words(draw, count) * high) >> 32


def each(draw: Draw, value: float | Tensor | Mapping[str, Any]) -> Float64[Tensor, "batch"]:
    """A setting's value for each sample: the number, or a draw of {uniform: [low, high], p: chance}, else 0."""
    if not isinstance(value, Mapping):
        return torch.zeros(len(draw), dtype=torch.float64, device=draw.device) + value
    chances = uniform(draw, 2)
    low, high = value["uniform"]
    drawn = chances[:, 1] * (high - low) + low
    return torch.where(chances[:, 0] < value.get("p", 1.0), drawn, 0.0)


def permutation(draw: Draw, length: int) -> Int64[Tensor, "batch length"]:
    """A random order of 0..length-1 for each sample (ties between 32-bit words are broken by position)."""
    return words(draw, length).argsort(dim=1, stable=True)


def fair(count: int, most: int, labels: Int64[Tensor, "images"] | None = None) -> Int64[Tensor, "chosen"]:
    """At most `most` of 0..count-1 in rising order, drawn once and for all: the same on every machine.

    Labels come equally often as far as there are enough of each. A smaller subset is part of every larger one.
    """
    everyone = torch.arange(count)
    if most >= count:
        return everyone
    order = _mixed(count)
    if labels is not None:
        of_each, rows = labels[order].sort(stable=True)
        _, there = of_each.unique_consecutive(return_counts=True)
        turn = torch.empty_like(everyone)  # how many of its label come before it
        turn[rows] = everyone - (there.cumsum(0) - there).repeat_interleave(there)
        order = order[turn.argsort(stable=True)]
    return order[:most].sort().values


def each_nth(count: int, nth: int, labels: Int64[Tensor, "images"] | None = None) -> Int64[Tensor, "chosen"]:
    """One of `nth` of 0..count-1 in rising order, drawn once and for all: of each label, too, give or take one."""
    order = _mixed(count)
    if labels is not None:
        order = order[labels[order].argsort(stable=True)]
    return order[nth - 1 :: nth].sort().values


def _mixed(count: int) -> Int64[Tensor, "images"]:
    return words(keyed(0, 0, torch.arange(count), stream_of("fair subset")), 1)[:, 0].argsort(stable=True)


def philox(counter: tuple[Tensor, ...], key: tuple[Tensor | int, Tensor | int]) -> tuple[Tensor, ...]:
    """Philox-4x32 with ten rounds; every value is an int64 tensor that holds a 32-bit word."""
    even, odd = torch.stack([counter[0], counter[2]]), torch.stack([counter[1], counter[3]])
    first = torch.stack([torch.as_tensor(part, device=even.device) for part in key])
    factors, steps = (_pair(numbers, even) for numbers in ((0xD2511F53, 0xCD9E8D57), (0x9E3779B9, 0xBB67AE85)))
    factors -= 2**32
    rounds = torch.arange(10, device=even.device).view(10, *[1] * first.ndim)
    for its_key in ((rounds * steps + first) & _LOW).unbind(0):
        # High and low words of two 32 x 32 bit products: an int64 product wraps, but its bits are right.
        product = even * factors
        product += even << 32
        low = product & _LOW
        product >>= 32
        product &= _LOW
        even = product.flip(0)
        even ^= odd
        even ^= its_key
        odd = low.flip(0)
    return even[0], odd[0], even[1], odd[1]


def _in_c(draw: Draw, count: int) -> Int64[Tensor, "batch count"] | None:
    """The same words from draws.c, where a processor holds the rows and a compiler was found: in one call, not 120."""
    is_plain = type(draw) is Tensor and draw.device.type == "cpu" and not torch.compiler.is_compiling()
    library = _library() if is_plain else None
    if library is None:
        return None
    rows, out = draw.contiguous(), torch.empty(len(draw), count, dtype=torch.int64)
    library.words(rows.data_ptr(), len(rows), count, out.data_ptr())
    return out


@functools.cache
def _library() -> ctypes.CDLL | None:
    pointer, number = ctypes.c_void_p, ctypes.c_int64
    return c_library.built(Path(__file__).with_name("draws.c"), {"words": [pointer, number, number, pointer]})


def _pair(numbers: tuple[int, int], like: Tensor) -> Tensor:
    return torch.tensor(numbers, device=like.device).view(2, *[1] * (like.ndim - 1))
