"""The largest difference between two sets of named tensors, and where it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

# A tensor much smaller than the others of its set is compared on their scale: the gradient of a bias in front of a
# BatchNorm is zero but for rounding, and rounding relative to itself says nothing.
FLOOR = 1e-3


@dataclass(frozen=True)
class Difference:
    """The largest distance of two tensors of one name, relative to the largest number in them, and their name."""

    size: float
    where: str = ""

    def __str__(self) -> str:
        return f"{self.size:.0e} at {self.where}" if self.where else "0"


def difference(
    found: Mapping[str, Tensor], expected: Mapping[str, Tensor], *, floor: float | None = None
) -> Difference:
    """The largest difference, relative to the largest number of its tensor, or to `floor` where that is larger.

    Without a floor it is a thousandth of the largest number of all. A name that one side lacks, and whole numbers that
    differ, are infinitely far.
    """
    scale = max((_largest(value) for value in expected.values() if value.is_floating_point()), default=0.0)
    least = FLOOR * scale if floor is None else floor
    return _farthest(found, expected, lambda mine, theirs: _distance(mine, theirs, least))


def distance(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> Difference:
    """The largest distance of two tensors of one name, by their norms: a few numbers that differ weigh little.

    Relative to the tensor's norm, or to a thousandth of the largest of all.
    """
    least = FLOOR * max((_norm(value) for value in expected.values()), default=0.0)

    def relative(mine: Tensor, theirs: Tensor) -> float:
        apart = _norm(mine.double() - theirs.double())
        return apart / max(_norm(theirs), least) if apart else 0.0

    return _farthest(found, expected, relative)


def unequal(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> list[str]:
    """The names whose tensors are not equal to the last bit, or that one side lacks."""
    missing = found.keys() ^ expected.keys()
    return sorted(missing | {n for n in found.keys() & expected.keys() if not torch.equal(found[n], expected[n])})


def _farthest(
    found: Mapping[str, Tensor], expected: Mapping[str, Tensor], measure: Callable[[Tensor, Tensor], float]
) -> Difference:
    """The largest of the measures of all names; one that is no number, or a name that one side lacks, is infinite."""
    if missing := sorted(found.keys() ^ expected.keys()):
        return Difference(float("inf"), missing[0])
    worst = Difference(0.0)
    for name, value in expected.items():
        size = measure(found[name], value)
        if size > worst.size or math.isnan(size):
            worst = Difference(float("inf") if math.isnan(size) else size, name)
    return worst


def _norm(value: Tensor) -> float:
    return float(value.double().norm())


def _distance(found: Tensor, expected: Tensor, floor: float) -> float:
    if found.shape != expected.shape:
        return float("inf")
    if not expected.is_floating_point():
        return 0.0 if torch.equal(found, expected) else float("inf")
    apart = _largest(found - expected)
    return apart / max(_largest(expected), floor) if apart else apart


def _largest(value: Tensor) -> float:
    return float(value.abs().max()) if value.numel() else 0.0
