"""What two trials of `sslgraph verify` must agree in: everything in float64, in float32 what rounding can't move.

In floats, now and then a unit of a network stands so near to zero that rounding decides whether it passes a gradient,
and an optimizer that divides by what it has seen makes a move of the rounding of a gradient that is zero. Training lets
both grow. A mistake of mathematics is there at every step, so floats are judged at the step that lies nearest, by whole
tensors of gradients, and by the states that no optimizer moves. Weights and the optimizer's memory are for doubles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from .difference import Difference, difference, distance
from .trial import Named, Seen

WEIGHT = 1.0  # the unit of weights and states
# Of the largest gradient: below it a weight has none but rounding, as a bias in front of a BatchNorm. Adam divides by
# what it has seen, so it moves such a weight as far as any other, in a direction that rounding decides.
ROUNDING = 1e-10
LIMITS = {True: 1e-10, False: 1e-4}  # of a difference, relative, in doubles and in floats
GROWN = "by rounding that training lets grow; doubles judge it"


@dataclass(frozen=True)
class Judge:
    """Compares trials in doubles, or in floats."""

    is_double: bool

    @property
    def limit(self) -> float:
        """The largest relative difference that is rounding."""
        return LIMITS[self.is_double]

    @property
    def steps(self) -> str:
        """Which of the watched steps count, in words."""
        return "3 steps" if self.is_double else "the nearest of 3 steps"

    def compared(self, seen: Seen, one: Seen) -> dict[str, Difference]:
        """The differences of the watched steps, by kind."""
        found = {"gradients": self.gradients(seen, one), "states": self.states(seen, one)}
        return found | ({"updates": _farthest(seen.optimizer, one.optimizer)} if self.is_double else {})

    def gradients(self, seen: Seen, one: Seen) -> Difference:
        """Before clipping: the largest of all steps and numbers, or in floats that of the nearest step, by tensors."""
        if self.is_double:
            return _farthest(seen.gradients, one.gradients)
        pairs = zip(seen.gradients, one.gradients, strict=True)
        return min((distance(mine, theirs) for mine, theirs in pairs), key=lambda each: each.size)

    def states(self, seen: Seen, one: Seen) -> Difference:
        """Weights and states of all steps, or in floats after the first one what no optimizer moves."""
        if self.is_double:
            sides = ([_meant(states, one) for states in each.states] for each in (seen, one))
            return _farthest(*sides, floor=WEIGHT)
        return difference(_untrained(seen), _untrained(one), floor=WEIGHT)

    def ends(self, found: Seen, expected: Seen) -> Difference:
        """Weights, states and the optimizer's memory behind the last step."""
        return further(
            difference(_meant(found.last, expected), _meant(expected.last, expected), floor=WEIGHT),
            difference(found.last_optimizer, expected.last_optimizer),
        )


def further(*apart: Difference) -> Difference:
    """The largest of some differences."""
    return max(apart, key=lambda each: each.size)


def why(found: Named, expected: Named, drawing: tuple[str, ...] = ()) -> str:
    """What the gradients of the first step, taken from the same weights, say of the mistake: a factor, or another way.

    A mean that is taken once too often over the ranks gives a factor everywhere; a part that compares images and sees
    those of its own rank gives another direction, as does one of the parts `drawing` numbers from torch's generator.
    """
    mine, theirs = (
        torch.cat([each[n].double().flatten() for n in expected if n in found]) for each in (found, expected)
    )
    factor = float(mine @ theirs / (theirs @ theirs).clamp_min(1e-300))
    apart = float((mine - theirs).norm()) / max(float(theirs.norm()), 1e-300)
    if apart < 1e-3:
        return (
            f"gradients are those of one rank but for {apart:.0e} of them: no sum over the ranks is wrong. A part "
            "makes rounding larger, as a root or a division near 0 does, or an inverse of few images; try another "
            "--batch"
        )
    if float((mine - factor * theirs).norm()) < 1e-3 * float(mine.norm()):
        return (
            f"gradients are {factor:.3g} times those of one rank: a mean or a sum over the ranks is taken twice or not"
        )
    if drawing:
        draw = " and ".join(f"'{name}'" for name in drawing) + (" draws" if len(drawing) == 1 else " draw")
        return (
            f"gradients point elsewhere: {draw} random numbers from torch's generator, which differ from rank to "
            "rank; give its forward an input `draw` or `clock` and draw from that"
        )
    return (
        "gradients point elsewhere: a part that compares images, or averages them, sees those of its own rank only; "
        "in the flow write everyone(NAME) for the rows of all ranks; in a part of your own use gather_with_gradient or "
        "all_sum_with_gradient of sslgraph.collectives"
    )


def _farthest(found: list[Named], expected: list[Named], *, floor: float | None = None) -> Difference:
    pairs = zip(found, expected, strict=True)
    return further(*(difference(mine, theirs, floor=floor) for mine, theirs in pairs))


def _meant(states: Named, one: Seen) -> Named:
    """The states without the weights that, in the trial on one rank, only rounding moves."""
    sizes = {name: max(float(step[name].abs().max()) for step in one.gradients if name in step)
             for name in {name for step in one.gradients for name in step}}  # fmt: skip
    least = ROUNDING * max(sizes.values(), default=0.0)
    still = {name for name, size in sizes.items() if size < least}
    return {name: value for name, value in states.items() if name.removeprefix("parts.") not in still}


def _untrained(seen: Seen) -> Mapping[str, Tensor]:
    """The states behind the first step, without what has a gradient."""
    return {
        name: value for name, value in seen.states[0].items() if name.removeprefix("parts.") not in seen.gradients[0]
    }
