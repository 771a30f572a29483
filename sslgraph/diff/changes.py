"""The small operations that lead from one method to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["view", "net", "target", "state", "op", "loss", "wiring", "write", "phase", "export"]


@dataclass(frozen=True)
class Added:
    """Something that only the other method has; `role` says what it is there for."""

    kind: Kind
    name: str
    role: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Removed:
    """Something that only the one method has."""

    kind: Kind
    name: str
    role: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Changed:
    """A setting of something that both have; `one` and `other` are its names, None is a setting that is not written.

    Values are text, as a spec would write them.
    """

    kind: Kind
    one: str
    other: str
    role: str
    setting: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Rewired:
    """Something that both have and that reads, at one place, another expression; each in the letters of its method."""

    kind: Kind
    one: str
    other: str
    role: str
    port: str
    before: str
    after: str


Change = Added | Removed | Changed | Rewired


def written(value: Any) -> str | None:
    """A setting's value as a spec would write it."""
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {written(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(str(written(inner)) for inner in value) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value)
