"""From a written text to a frozen model: every fault at its place and in plain words. Imports no torch."""

from __future__ import annotations

from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from sslgraph.errors import Fault, dotted, unknown, words
from sslgraph.read.located import Value
from sslgraph.read.spec import Method, Path, Recipe

Model = TypeVar("Model", bound=BaseModel)

_MUST = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "dict_type": "must be a mapping of names to values",
    "list_type": "must be a list",
    "model_type": "must be a mapping, such as {use: ...}",
    "model_attributes_type": "must be a mapping, such as {use: ...}",
}
_BOUNDS = {"greater_than_equal": "{ge} or more", "less_than": "less than {lt}"}
# What stands for a faulty value while the rest of its text is checked; a key without one is left out.
_STAND_INS = {"batch": 256, "epochs": 1, "steps": 1, "momentum": 0.99}
_CURES = {
    "views": "say what the images become: views: {x: {augment: NAME}}; sslgraph list augmentations",
    "nets": "name what is trained: nets: {f: {use: FAMILY.NAME}}; sslgraph list parts",
    "export": "name the net that is the representation: export: f",
    "use": "name a part of the catalogue: use: FAMILY.NAME. A node that a child gives replaces its parent's as a "
    "whole; set: changes one setting",
    "augment": "name an augmentation: augment: NAME; sslgraph list augmentations",
    "momentum": "write a number or a schedule: momentum: {cosine: [0.996, 1.0]}",
}


def validated(model: type[Model], root: Value, faults: list[Fault]) -> Model | None:
    """The model that a text writes; None, and the faults noted, if it doesn't write one."""
    try:
        return model.model_validate(root.plain, context="text")
    except ValidationError as wrong:
        seen: set[Path] = set()
        for error in wrong.errors(include_url=False, include_context=True):
            fault, path = _fault(model, root, error)
            if path not in seen:
                faults.append(fault)
            seen.add(path)
    return None


def without_faults(model: type[Model], root: Value) -> Model | None:
    """The model of a text without its faulty values, to check the rest; None if one of them can't be done without."""
    plain = root.plain
    try:
        return model.model_validate(plain, context="text")
    except ValidationError as wrong:
        for error in wrong.errors():
            path = _there(root, error["loc"])[0] if error["type"] != "extra_forbidden" else tuple(error["loc"])
            _stand_in(plain, path)
    try:
        return model.model_validate(plain, context="text")
    except ValidationError:
        return None


def _stand_in(plain: Any, path: Path) -> None:
    for step in path[:-1]:
        plain = plain.get(step) if isinstance(plain, dict) else None
    if isinstance(plain, dict) and path:
        plain.pop(path[-1], None)
        if path[-1] in _STAND_INS:
            plain[path[-1]] = _STAND_INS[str(path[-1])]


def _fault(model: type[BaseModel], root: Value, error: Any) -> tuple[Fault, Path]:
    kind = error["type"]
    if kind == "extra_forbidden":
        return _unknown_key(model, root, error["loc"]), tuple(error["loc"])
    path, value = _there(root, error["loc"])
    here = _named(model, path)
    if kind == "missing":
        key = str(error["loc"][-1])
        joined = next((name for name in value.plain if str(name).startswith(f"{key}:")), None)
        cure = _CURES.get(key, f"add {key}:")
        if joined is not None and isinstance(value.plain[joined], type(None)):
            cure = f"a blank is missing: write {key}: {str(joined).removeprefix(f'{key}:')}"
        return Fault(value.place, f"{here} has no {key}:", (), cure), (*path, key)
    if kind == "value_error":
        told = str(error["ctx"]["error"])
        colon = "" if told.startswith(("must ", "is ", "says ")) else ":"
        return Fault(value.place, f"{here}{colon} {told}" if path else told), path
    if kind == "literal_error":
        legal = error["ctx"]["expected"].replace("True", "true").replace("False", "false")
        problem = f"{here} must be one of {legal}, not {words(value.content)}"
        return Fault(value.place, problem), path
    if kind in _BOUNDS:
        bound = _BOUNDS[kind].format(**error["ctx"])
        return Fault(value.place, f"{here} must be {bound}, not {value.content}"), path
    must = _MUST.get(kind, error["msg"].lower())
    is_unquoted = kind == "string_type" and isinstance(value.content, bool | int | float)
    cure = "put it in quotes if it is text" if is_unquoted else ""
    if value.content is None and kind in ("dict_type", "list_type"):
        cure = "write {} for none" if kind == "dict_type" else "write [] for none"
    elif kind == "list_type" and isinstance(value.content, str | int | float):
        cure = f"write [{value.content}]"
    return Fault(value.place, f"{here} {must}, not {words(value.content)}", (), cure), path


def _unknown_key(model: type[BaseModel], root: Value, loc: Path) -> Fault:
    above, value = _there(root, loc[:-1])
    key = value.child(loc[-1])
    here = _model_at(model, above)
    legal = [field.alias or name for name, field in here.model_fields.items()]
    if here is Method and (name := str(loc[-1])) in Recipe.model_fields:
        problem = f"{_named(model, above)} is a method and has the key '{name}', which is a recipe's"
        cure = "name the module on the command line: --plugin" if name == "plugins" else "write it in a recipe"
        return Fault((key and key.key) or value.place, problem, (), cure)
    return unknown((key and key.key) or value.place, f"{_named(model, above)} has the unknown key", str(loc[-1]), legal)


def _named(model: type[BaseModel], path: Path) -> str:
    """A path as messages say it. A recipe's method has a text of its own, from which its paths begin."""
    return dotted(path[1:] if model is Recipe and path[:1] == ("method",) else path) or "the text"


def _model_at(model: type[BaseModel], path: Path) -> type[BaseModel]:
    """The model at a path of another."""
    for step in path:
        field = next((f for name, f in model.model_fields.items() if step in (name, f.alias)), None)
        inner = _models(field.annotation) if field else []
        model = inner[0] if inner else model
    return model


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in _models(part)]


def _there(root: Value, loc: Path) -> tuple[Path, Value]:
    """The part of pydantic's location that is in the text (it adds words of its own), and the value there."""
    path: list[str | int] = []
    value = root
    for step in loc:
        inner = value.child(step)
        if inner is None:
            break
        value = inner
        path.append(step)
    return tuple(path), value
