"""The settings that a spec gives a part, as arguments of its constructor: checked by name and type, told in words."""

from __future__ import annotations

import json
import types
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Dict, List, Literal, Optional, Tuple, Union, get_args, get_origin  # noqa: UP035

from pydantic import TypeAdapter, ValidationError

from sslgraph.errors import Fault, SslgraphError, nearest, words
from sslgraph.parts.signature import Setting, Signature
from sslgraph.schedules import is_schedule, schedule

# What annotations may name; one that names more is known to its author's module only, and any value passes.
_NAMES: dict[str, Any] = {
    **{kind.__name__: kind for kind in (int, float, str, bool, list, tuple, dict, set)},
    **{"Literal": Literal, "Optional": Optional, "Union": Union, "List": List, "Tuple": Tuple, "Dict": Dict},  # noqa: UP006
    **{"Any": Any, "Scalar": float, "Sequence": list, "Mapping": dict, "Path": str},
}
_KINDS = {int: "a whole number", float: "a number", str: "text", bool: "true or false", type(None): "null"}
_SEVERAL = {int: "whole numbers", float: "numbers", str: "texts", bool: "truth values"}


def setting_faults(found: Signature, settings: Mapping[str, Any], *, ports: Iterable[str] = ()) -> list[Fault]:
    """What is wrong with these settings of a part, each fault at the name of its setting.

    `ports` are names that may stand beside the settings, as in a loss.
    """
    faults = []
    for name, value in settings.items():
        if name not in found.settings:
            known = [*found.settings, *ports]
            close = nearest(name, known)
            hint = f"did you mean '{close}'?" if close else f"it has: {', '.join(known) or 'none'}"
            faults.append(Fault((name,), f"{found.use} has no setting '{name}'; {hint}"))
        elif problem := _type_problem(found.settings[name], value):
            faults.append(Fault((name,), f"'{name}' of {found.use} {problem}"))
    missing = [setting for setting in found.settings.values() if setting.is_required and setting.name not in settings]
    return faults + [Fault((), f"{found.use} needs the setting '{s.name}': {kind_in_words(s)}") for s in missing]


def constructed(setting: Setting, value: Any) -> Any:
    """A setting's value as the constructor takes it: a list becomes a tuple, a schedule its first value."""
    if is_schedule(value):
        return schedule(value).first
    return _adapter(setting.annotation).validate_json(json.dumps(value))


def kind_in_words(setting: Setting) -> str:
    """What a setting may be: "a whole number", "10, 18 or 34"."""
    if "Scalar" in setting.annotation:
        return "a number or a schedule"
    kind = _kind(setting.annotation)
    if kind is Any:
        return "anything" if setting.annotation == "Any" else setting.annotation
    return _in_words(kind)


def _type_problem(setting: Setting, value: Any) -> str:
    if is_schedule(value):
        if "Scalar" not in setting.annotation:
            return "is fixed when the part is built, so it can't be a schedule; write a number"
        try:
            schedule(value)
        except SslgraphError as wrong:
            return f"is a schedule that can't be read: {wrong}"
        return ""
    try:
        _adapter(setting.annotation).validate_json(json.dumps(value), strict=True)
    except (ValidationError, TypeError):
        return f"must be {kind_in_words(setting)}, not {_given(setting, value)}"
    return ""


def _given(setting: Setting, value: Any) -> str:
    if isinstance(value, list | dict):
        text = json.dumps(value)
        return text if len(text) <= 60 else words(value)
    if isinstance(value, str):
        is_number = any(word in kind_in_words(setting) for word in ("number", "true")) and _is_plain(value)
        return words(value) + (" (remove the quotes)" if is_number else "")
    return words(value).removeprefix("the number ")


def _is_plain(text: str) -> bool:
    """Whether the text would be a number or a truth value if it had no quotes."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


@cache
def _kind(annotation: str) -> Any:
    try:
        return eval(annotation, {"__builtins__": {}}, _NAMES)
    except Exception:  # whatever a strange annotation raises: it can't be read here
        return Any


@cache
def _adapter(annotation: str) -> TypeAdapter[Any]:
    try:
        return TypeAdapter(_kind(annotation))
    except Exception:  # something that is no type
        return TypeAdapter(Any)


def _in_words(kind: Any) -> str:
    origin, inner = get_origin(kind), get_args(kind)
    if kind in _KINDS:
        return _KINDS[kind]
    if origin is Literal:
        return _listed([f"'{value}'" if isinstance(value, str) else str(value) for value in inner])
    if origin in (Union, types.UnionType):
        return _listed([_in_words(one) for one in inner])
    if origin is tuple and Ellipsis not in inner:
        same = len(set(inner)) == 1 and inner[0] in _SEVERAL
        return f"a list of {len(inner)} {_SEVERAL[inner[0]] if same else 'values'}"
    if origin in (list, tuple, set):
        return f"a list of {_SEVERAL.get(inner[0], 'values')}" if inner else "a list"
    if origin is dict or kind is dict:
        return "a mapping"
    return "a list" if kind in (list, tuple, set) else str(kind)


def _listed(several: Sequence[str]) -> str:
    return " or ".join(filter(None, [", ".join(several[:-1]), several[-1]]))
