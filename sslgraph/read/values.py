"""Single values of a text as annotations: numbers that may be schedules, lengths of time, weights. Imports no torch."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator

from sslgraph.parts import kinds
from sslgraph.schedules import duration


def _of_kind(annotation: str) -> AfterValidator:
    def checked(value: Any) -> Any:
        if wrong := kinds.problem(annotation, value):
            raise ValueError(wrong)
        return value

    return AfterValidator(checked)


def _weight(value: Any) -> Any:
    is_name = isinstance(value, str) and re.fullmatch(r"[A-Za-z_]\w*(\.\w+)?", value)
    if not is_name and (wrong := kinds.problem("Scalar", value)):
        raise ValueError(wrong)
    return value


def _length(value: str) -> str:
    duration(value)
    return value


def _pause(value: str) -> str:
    if duration(value).amount <= 0:
        raise ValueError(f"must be longer than '{value}'")
    return value


def _lengths(value: Any) -> Any:
    for length in value.values() if isinstance(value, dict) else [value]:
        if length != ALWAYS:
            duration(length)
    return value


ALWAYS = "always"
Weight = Annotated[Any, AfterValidator(_weight)]  # 0.1, {cosine: [0.996, 1.0]}, or a value of the flow: m.share
Momentum = Annotated[Any, _of_kind("ShareScalar")]
Length = Annotated[str, AfterValidator(_length)]  # "1 epoch", "500 steps", "10 %"
Pause = Annotated[str, AfterValidator(_length), AfterValidator(_pause)]  # a length that is not 0
Freeze = Annotated[str | dict[str, str], BeforeValidator(_lengths)]


def source(value: Any) -> Any:
    """The mapping that says where weights come from; text alone is its `from`."""
    if not isinstance(value, str | dict | BaseModel):
        raise ValueError("must be a file, a run folder, $name, timm:NAME, or {from: ..., under: ..., except: [...]}")
    return {"from": value} if isinstance(value, str) else value
