"""The largest difference between two sets of named tensors, and where it is."""

from __future__ import annotations

from collections.abc import Mapping
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
    if missing := sorted(found.keys() ^ expected.keys()):
        return Difference(float("inf"), missing[0])
    scale = max((_largest(value) for value in expected.values() if value.is_floating_point()), default=0.0)
    worst = Difference(0.0)
    for name, value in expected.items():
        size = _distance(found[name], value, FLOOR * scale if floor is None else floor)
        if size > worst.size or size != size:
            worst = Difference(size if size == size else float("inf"), name)
    return worst


def distance(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> Difference:
    """The largest distance of two tensors of one name, by their norms: a few numbers that differ weigh little.

    Relative to the tensor's norm, or to a thousandth of the largest of all.
    """
    if missing := sorted(found.keys() ^ expected.keys()):
        return Difference(float("inf"), missing[0])
    norms = {name: float(value.double().norm()) for name, value in expected.items()}
    least = FLOOR * max(norms.values(), default=0.0)
    apart = {name: float((found[name].double() - expected[name].double()).norm()) for name in expected}
    worst = Difference(0.0)
    for name, size in apart.items():
        relative = size / max(norms[name], least) if size else 0.0
        if relative > worst.size or relative != relative:
            worst = Difference(relative if relative == relative else float("inf"), name)
    return worst


def unequal(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> list[str]:
    """The names whose tensors are not equal to the last bit, or that one side lacks."""
    missing = found.keys() ^ expected.keys()
    return sorted(missing | {n for n in found.keys() & expected.keys() if not torch.equal(found[n], expected[n])})


def _distance(found: Tensor, expected: Tensor, floor: float) -> float:
    if found.shape != expected.shape:
        return float("inf")
    if not expected.is_floating_point():
        return 0.0 if torch.equal(found, expected) else float("inf")
    apart = _largest(found - expected)
    return apart / max(_largest(expected), floor) if apart else apart


def _largest(value: Tensor) -> float:
    return float(value.abs().max()) if value.numel() else 0.0
