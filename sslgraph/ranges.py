"""The ranges of settings as types: a setting's annotation says which values it takes. Imports no torch.

    def __init__(self, *, temperature: PositiveScalar = 0.2, out: Count) -> None: ...

They are read as text, so `check --fast`, `show` and messages share them. Another range is written in place:
`Annotated[float, Field(ge=0, le=0.5)]`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Told:
    """What a type says in words besides its bounds."""

    words: str


MOVES = Told("or a schedule")

# A number that a spec may write as a schedule. A part keeps such a setting under the setting's own name and reads it
# in `forward`; with a schedule the attribute is a 0-d float32 buffer that the loop refills before each step.
if TYPE_CHECKING:
    Scalar = float | Tensor
else:
    Scalar = Annotated[float, MOVES]


def _ascending(pair: tuple[Any, Any]) -> tuple[Any, Any]:
    if pair[0] > pair[1]:
        raise ValueError("the first number is above the second")
    return pair


def _drawn(value: dict[str, Any]) -> dict[str, Any]:
    low, high, *rest = value["uniform"] if isinstance(value.get("uniform"), list | tuple) else (1, 0)
    numbers = [low, high, value.get("p", 1)]
    plain = all(isinstance(number, int | float) and not isinstance(number, bool) for number in numbers)
    if rest or set(value) - {"uniform", "p"} or not (plain and 0 <= low <= high < 1 and 0 < numbers[2] <= 1):
        raise ValueError("a draw of other bounds")
    return value


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise ValueError("an even number")
    return value


_RISES, _IN_ORDER = AfterValidator(_ascending), Told(", the smaller one first")

Whole = Annotated[int, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Several = Annotated[int, Field(ge=2)]  # of what one alone says nothing: classes, clusters
Odd = Annotated[int, Field(ge=1), AfterValidator(_odd), Told(", odd")]

NotNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]  # a probability, a part of a whole
SomeShare = Annotated[float, Field(gt=0, le=1)]
LessThanOne = Annotated[float, Field(ge=0, lt=1)]  # what 1 minus it divides by
InnerShare = Annotated[float, Field(gt=0, lt=1)]  # neither none of a whole nor all of it
HueShift = Annotated[float, Field(ge=0, le=0.5)]  # of a whole turn: half a turn reaches every hue
Shares = Annotated[tuple[SomeShare, SomeShare], _RISES, _IN_ORDER]
Positives = Annotated[tuple[Positive, Positive], _RISES, _IN_ORDER]

NotNegativeScalar = Annotated[Scalar, Field(ge=0)]
PositiveScalar = Annotated[Scalar, Field(gt=0)]
ShareScalar = Annotated[Scalar, Field(ge=0, le=1)]

# A share that may be each sample's own: {uniform: [least, greatest], p: the chance that it is not 0}, both below 1.
# `sslgraph.draws.each` gives its values.
Drawn = Annotated[dict[str, Any], AfterValidator(_drawn), Told("such as {uniform: [0.1, 0.5], p: 0.5}")]
ShareOfEach = Annotated[Scalar, Field(gt=0, lt=1)] | Drawn
