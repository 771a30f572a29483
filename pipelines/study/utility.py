"""How many labels pretraining saves: training from scratch needs them for the same accuracy. arXiv:2003.14323"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Literal

Curve = Sequence[tuple[float, float]]  # labels and accuracy


@dataclass(frozen=True)
class Utility:
    """U = n' / n - 1: from scratch n' labels reach what n labels reach after pretraining; 1 means half the labels do.

    `side` is ">" where more labels than were tried are needed, "<" where fewer than the fewest tried are enough: the
    value is then a bound.
    """

    labels: float
    value: float
    side: Literal["", ">", "<"] = ""

    def __str__(self) -> str:
        return f"{self.side}{self.value:+.2f}"


def utilities(scratch: Curve, pretrained: Curve) -> list[Utility]:
    """The utility at each number of labels of `pretrained`.

    The curve from scratch is made to rise (its highest value so far) and is a line between its points over log labels.
    Where it is level, the number nearest to that of the pretrained one counts. ValueError without a point of it.
    """
    if not scratch:
        raise ValueError("utility compares with a curve from scratch, and it has no point")
    rising = sorted(scratch)
    heights = list(accumulate((value for _, value in rising), max))
    curve = [(labels, value) for (labels, _), value in zip(rising, heights, strict=True)]
    return [_utility(curve, labels, value) for labels, value in sorted(pretrained)]


def _utility(curve: Curve, labels: float, value: float) -> Utility:
    (fewest, least), (most, highest) = curve[0], curve[-1]
    if value > highest:
        return Utility(labels, most / labels - 1, ">")
    if value < least:
        return Utility(labels, fewest / labels - 1, "<")
    low = min(_where(curve, value))
    high = max(_where(curve, value))
    return Utility(labels, min(max(labels, low), high) / labels - 1)


def _where(curve: Curve, value: float) -> list[float]:
    """The numbers of labels at which a rising curve has a value: one, or both ends of where it is level."""
    found = [labels for labels, height in curve if height == value]
    for (left, low), (right, high) in pairwise(curve):
        if low < value < high:
            share = (value - low) / (high - low)
            found.append(math.exp(math.log(left) + share * (math.log(right) - math.log(left))))
    return found
