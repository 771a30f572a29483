"""Pieces on one sheet: each as high up as there is room for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import permutations

Spot = tuple[float, float]
Size = tuple[float, float]
EXACT = 5  # up to so many pieces every order is tried


def packed(sizes: Sequence[Size], wide: float, apart: float, high: float = 0.0) -> tuple[list[Spot], float]:
    """Where pieces of these widths and heights stand on a sheet of this width, and how high they are together.

    They are placed in their order if they are then no higher than `high`, else in the order that is lowest.
    """
    numbers = range(len(sizes))
    few = [tuple(numbers), tuple(sorted(numbers, key=lambda n: -sizes[n][1]))]  # as it is, and the highest first
    orders: Iterable[tuple[int, ...]] = permutations(numbers) if len(sizes) <= EXACT else few
    best, least = list[Spot](), float("inf")
    for order in orders:
        spots = _placed(sizes, order, wide, apart)
        total = max((spots[n][1] + sizes[n][1] for n in order), default=0.0)
        if total < least - 1:
            best, least = [spots[n] for n in range(len(sizes))], total
        if least <= high:
            break
    return best, least if sizes else 0.0


def _placed(sizes: Sequence[Size], order: Sequence[int], wide: float, apart: float) -> dict[int, Spot]:
    spots: dict[int, Spot] = {}
    for number in order:
        width, _ = sizes[number]
        lefts = [0.0, *(spots[n][0] + sizes[n][0] + apart for n in spots)]
        tried = [(_top(sizes, spots, x, width, apart), x) for x in lefts if x == 0.0 or x + width <= wide + 0.01]
        y, x = min(tried)
        spots[number] = (x, y)
    return spots


def _top(sizes: Sequence[Size], spots: dict[int, Spot], x: float, width: float, apart: float) -> float:
    """How far up a piece of this width can stand here: below all that is placed there."""
    below = [
        top + sizes[n][1] + apart
        for n, (left, top) in spots.items()
        if left < x + width + apart and x < left + sizes[n][0] + apart
    ]
    return max(below, default=0.0)
