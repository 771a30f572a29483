"""The types of single values of a text: numbers that may be schedules, lengths of time, weights. Imports no torch."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, model_validator
from pydantic import ModelWrapValidatorHandler as Handler
from pydantic import ValidationInfo as Info

from sslgraph.parts import kinds
from sslgraph.schedules import duration


class Text(BaseModel):
    """A node of a text: its reserved keys are fields, and in some all other keys are `settings`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="wrap")
    @classmethod
    def _gather(cls, value: Any, handler: Handler[Any], info: Info) -> Any:
        """Puts what is not reserved into `settings`; a text that writes the word itself is refused."""
        if "settings" not in cls.model_fields or not isinstance(value, dict):
            return handler(value)
        if info.context == "text" and "settings" in value:
            raise ValueError("write settings beside use: and the other keys, not under settings:")
        reserved = {field.alias or name for name, field in cls.model_fields.items()}
        own = {key: value[key] for key in value if key in reserved}
        more = {key: value[key] for key in value if key not in reserved}
        return handler({**own, "settings": {**own.get("settings", {}), **more}})


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
