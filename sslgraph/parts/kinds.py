"""What values an annotation allows: checked, converted, and described in words. Imports no torch."""

from __future__ import annotations

import json
import math
import types
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Annotated, Any, Dict, List, Literal, Optional, Tuple, Union, get_args, get_origin  # noqa: UP035

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from sslgraph import ranges
from sslgraph.errors import SslgraphError, words
from sslgraph.schedules import is_schedule, schedule

# What annotations may name; one that names more is known to its author's module only, and any value passes.
_NAMES: dict[str, Any] = {
    **{kind.__name__: kind for kind in (int, float, str, bool, list, tuple, dict, set)},
    **{"Literal": Literal, "Optional": Optional, "Union": Union, "List": List, "Tuple": Tuple, "Dict": Dict},  # noqa: UP006
    **{"Any": Any, "Sequence": list, "Mapping": dict, "Path": str, "Annotated": Annotated, "Field": Field},
    **{name: kind for name, kind in vars(ranges).items() if get_origin(kind) in (Annotated, Union, types.UnionType)},
}
_KINDS = {int: "a whole number", float: "a number", str: "text", bool: "true or false", type(None): "null"}
_SEVERAL = {int: "whole numbers", float: "numbers", str: "texts", bool: "truth values"}


def in_words(annotation: str) -> str:
    """What a value may be: "a whole number", "10, 18 or 34", "a number above 0 or a schedule"."""
    kind = _kind(annotation)
    if kind is Any:
        return "anything" if annotation == "Any" else annotation
    return _in_words(kind)


def problem(annotation: str, value: Any) -> str:
    """What is wrong with a value, as a message says it behind the setting's name; empty if nothing is."""
    if is_schedule(value) and not annotation.startswith("dict["):  # a mapping of settings may have one called steps
        return _schedule_problem(annotation, value)
    if not _fits(annotation, value):
        cure = f" (write [{value}])" if not isinstance(value, list | dict) and _fits(annotation, [value]) else ""
        return f"must be {in_words(annotation)}, not {_given(annotation, value)}{cure}"
    if not all(map(math.isfinite, _numbers(value))):
        return f"must be {in_words(annotation)}, not {value}"
    return ""


def _fits(annotation: str, value: Any) -> bool:
    try:
        _adapter(annotation).validate_json(json.dumps(value), strict=True)
    except (ValidationError, TypeError):
        return False
    return True


def schema(annotation: str) -> dict[str, Any]:
    """The JSON schema of what a value may be, besides a schedule."""
    return _adapter(annotation).json_schema()


def converted(annotation: str, value: Any) -> Any:
    """A value as code takes it: a list becomes a tuple, a schedule its first value."""
    if is_schedule(value):
        return schedule(value).first
    return _adapter(annotation).validate_json(json.dumps(value))


def moves(annotation: str) -> bool:
    """Whether a value may be a schedule."""
    return ranges.MOVES in _told(_kind(annotation))


def _schedule_problem(annotation: str, value: Any) -> str:
    if not moves(annotation):
        return "is fixed for the whole run, so it can't be a schedule; write a number"
    try:
        takes = schedule(value).every_value
    except SslgraphError as wrong:
        return f"is a schedule that can't be read: {wrong}"
    outside = next((number for number in takes if problem(annotation, number)), None)
    return "" if outside is None else f"must be {in_words(annotation)}, and its schedule reaches {outside:g}"


def _given(annotation: str, value: Any) -> str:
    if isinstance(value, list | dict):
        text = json.dumps(value)
        return text if len(text) <= 60 else words(value)
    if isinstance(value, str):
        is_number = any(word in in_words(annotation) for word in ("number", "true")) and _is_plain(value)
        return words(value) + (" (remove the quotes)" if is_number else "")
    return words(value).removeprefix("the number ")


def _is_plain(text: str) -> bool:
    """Whether the text would be a number or a truth value if it had no quotes."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, list | tuple):
        yield from (number for item in value for number in _numbers(item))
    elif isinstance(value, Mapping):
        yield from _numbers(list(value.values()))
    elif isinstance(value, float):
        yield value


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


def _in_words(kind: Any, *, several: bool = False) -> str:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        told = "".join(f" {one.words}".replace(" ,", ",") for one in _told(kind))
        return f"{_in_words(inner[0], several=several)}{_bounds(inner[1:])}{told}"
    if kind in _KINDS:
        return (_SEVERAL if several and kind in _SEVERAL else _KINDS)[kind]
    if origin is Literal:
        return _listed([f"'{value}'" if isinstance(value, str) else str(value) for value in inner])
    if origin in (Union, types.UnionType):
        return _listed([_in_words(one, several=several) for one in inner])
    if origin is tuple and Ellipsis not in inner:
        is_one_kind = all(one == inner[0] for one in inner) and _root(inner[0]) in _SEVERAL
        return f"a list of {len(inner)} {_in_words(inner[0], several=True) if is_one_kind else 'values'}"
    if origin in (list, tuple, set):
        is_plain = bool(inner) and _root(inner[0]) in _SEVERAL
        return f"a list of {_in_words(inner[0], several=True) if is_plain else 'values'}" if inner else "a list"
    if origin is dict or kind is dict:
        return "a mapping"
    return "a list" if kind in (list, tuple, set) else str(kind)


def _bounds(metadata: Sequence[Any]) -> str:
    """ " from 0 to 1", " above 0", " of at least 1": the bounds of an annotation's fields."""
    found = _limits(metadata)
    if {"ge", "le"} <= set(found):
        return f" from {found['ge']:g} to {found['le']:g}"
    forms = {"ge": "of at least {:g}", "gt": "above {:g}", "le": "at most {:g}", "lt": "below {:g}"}
    said = [form.format(found[key]) for key, form in forms.items() if key in found]
    return f" {' and '.join(said)}" if said else ""


def _limits(metadata: Sequence[Any]) -> dict[str, float]:
    marks = [mark for one in metadata if isinstance(one, FieldInfo) for mark in one.metadata]
    return {key: getattr(mark, key) for mark in marks for key in ("ge", "gt", "le", "lt") if hasattr(mark, key)}


def _told(kind: Any) -> list[ranges.Told]:
    if get_origin(kind) is Annotated:
        return [one for one in get_args(kind)[1:] if isinstance(one, ranges.Told)]
    is_union = get_origin(kind) in (Union, types.UnionType)
    return [told for one in get_args(kind) for told in _told(one)] if is_union else []


def _root(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def _listed(several: Sequence[str]) -> str:
    return " or ".join(filter(None, [", ".join(several[:-1]), several[-1]]))
