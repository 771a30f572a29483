"""Values of a text: numbers that may be schedules, lengths of time, weights, copies of nets. Imports no torch."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
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


class Average(Text):
    """A copy of a net that follows it by exponential moving average and never receives a gradient."""

    ema_of: str
    momentum: Momentum
    init: Literal["copy", "independent"] = "copy"
    mode: Literal["train", "eval"] | None = None
    dtype: Literal["float32"] | None = None
    settings: dict[str, Any] = {}  # overrides of the followed net's settings, such as drop_path: 0

    @property
    def follows(self) -> str:
        """The net whose weights it takes."""
        return self.ema_of


class Snapshot(Text):
    """A copy of a net, or of its moving average, as it was at a certain step: taken anew now and then."""

    snapshot_of: str
    every: Pause | None = None
    start: Length | None = Field(default=None, alias="from")  # when it is taken first; else after `every`
    at_most: int | None = Field(default=None, ge=1)  # how often it is taken
    mode: Literal["train", "eval"] | None = None
    dtype: Literal["float32"] | None = None
    settings: dict[str, Any] = {}

    @property
    def follows(self) -> str:
        """The net or target whose weights it takes."""
        return self.snapshot_of

    @property
    def when(self) -> str:
        """In words: "every 10000 steps from 5 epochs, at most 3"."""
        times = f"every {self.every}{f' from {self.start}' if self.start else ''}" if self.every else f"at {self.start}"
        return f"{times}, at most {self.at_most}" if self.at_most and self.every else times

    @model_validator(mode="after")
    def _is_taken(self) -> Snapshot:
        if self.every is None and self.start is None:
            raise ValueError("says neither every: nor from:, so it would never be taken; write every: 10000 steps")
        if self.every is None and self.at_most not in (None, 1):
            raise ValueError(f"at_most: {self.at_most} needs every:, the time between two of them")
        return self


def kind_of_target(value: Any, info: Info) -> Average | Snapshot:
    """Reads a target as what its keys say it is."""
    kind = Snapshot if isinstance(value, dict) and "snapshot_of" in value else Average
    return value if isinstance(value, Average | Snapshot) else kind.model_validate(value, context=info.context)


Target = Average | Snapshot
