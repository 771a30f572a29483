"""Sets of permutations of the tiles of a puzzle: far apart, algebraic, or all of them by their number."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterator
from functools import cache
from typing import Literal

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

Order = tuple[int, ...]
Choice = Literal["max_min", "max_mean", "algebraic", "all"]


@cache
def chosen(choose: Choice, tiles: int, count: int) -> list[Order]:
    """`count` permutations of so many tiles; ValueError where the set has another size."""
    if choose != "algebraic":
        if count > math.factorial(tiles):
            raise ValueError(f"{tiles} tiles have {math.factorial(tiles)} permutations, and {count} are asked for")
        return _far_apart(tiles, count, choose == "max_mean")
    known: dict[tuple[int, int], Callable[[], Iterator[Order]]] = {
        (4, 12): lambda: _affine(4),
        (9, 72): lambda: _affine(9),
        (9, 504): lambda: _projective(frobenius=1),
        (9, 1512): lambda: _projective(frobenius=3),
    }
    if (tiles, count) not in known:
        sizes = " or ".join(str(size) for of, size in known if of == tiles)
        raise ValueError(f"choose: algebraic knows {sizes} permutations of {tiles} tiles, and permutations is {count}")
    return sorted(set(known[tiles, count]()))


def numbered(number: Int64[Tensor, "batch"], tiles: int) -> Int64[Tensor, "batch tiles"]:
    """The permutation with this number among all, in lexicographic order: no table of all of them is needed."""
    digits = [number // math.factorial(tiles - 1 - place) % (tiles - place) for place in range(tiles)]
    order = torch.stack(digits, 1)
    for place in range(tiles - 2, -1, -1):  # what comes behind skips the tile that stands here
        order[:, place + 1 :] += order[:, place + 1 :] >= order[:, place, None]
    return order


@cache
def _far_apart(tiles: int, count: int, by_mean: bool) -> list[Order]:
    """Greedy: the order farthest from those chosen, by least or by mean Hamming distance; a fixed draw breaks ties."""
    every = list(itertools.permutations(range(tiles)))
    columns = np.array(every, dtype=np.uint8).T.copy()
    distance = np.full(len(every), tiles, dtype=np.int32)
    # Only random() gives the same numbers in every version of Python.
    ties, found = random.Random(0), []
    for _ in range(count):
        farthest = np.flatnonzero(distance == distance.max())
        newest = int(farthest[int(ties.random() * len(farthest))])
        found.append(every[newest])
        apart = (columns != columns[:, newest, None]).sum(0, dtype=np.int32)
        distance = distance + apart if by_mean else np.minimum(distance, apart)
        distance[newest] = -(10**6) if by_mean else 0
    return found


def _affine(tiles: int) -> Iterator[Order]:
    """x -> slope x + shift over the field of 4 or 9 elements, slope not 0: two maps agree in one element at most."""
    prime = {4: 2, 9: 3}[tiles]
    for slope, shift in itertools.product(range(1, tiles), range(tiles)):
        yield tuple(_plus(_times(slope, x, prime), shift, prime) for x in range(tiles))


def _plus(one: int, other: int, prime: int) -> int:
    """Element a + b z of the field is the number a + prime b."""
    return (one + other) % prime + prime * ((one // prime + other // prime) % prime)


def _times(one: int, other: int, prime: int) -> int:
    """Multiplication with z^2 = 1 + z over 2, z^2 = -1 over 3."""
    (b, a), (d, c) = divmod(one, prime), divmod(other, prime)
    carry = b * d
    return (a * c + carry * (1 if prime == 2 else -1)) % prime + prime * (
        (a * d + b * c + carry * (1 if prime == 2 else 0)) % prime
    )


def _projective(*, frobenius: int) -> Iterator[Order]:
    """x -> (a y + b) / (c y + d) over the field of 8 elements and infinity (8), with y one of 1 or 3 powers of x.

    Two maps agree in two points at most, with the powers in three.
    """
    for power, a, b, c, d in itertools.product(range(frobenius), *[range(8)] * 4):
        if _eight(a, d) == _eight(b, c):
            continue
        points = []
        for x in range(9):
            y = x
            for _ in range(power if x < 8 else 0):
                y = _eight(y, y)
            over, under = (a, c) if x == 8 else (_eight(a, y) ^ b, _eight(c, y) ^ d)
            points.append(8 if under == 0 else next(q for q in range(8) if _eight(q, under) == over))
        yield tuple(points)


@cache
def _eight(one: int, other: int) -> int:
    """Multiplication in the field of 8 elements: bits are powers of z, and z^3 = z + 1."""
    product = 0
    for bit in range(3):
        product ^= (one << bit) * (other >> bit & 1)
    for bit in (4, 3):
        product ^= (0b1011 << (bit - 3)) * (product >> bit & 1)
    return product
