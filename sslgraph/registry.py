"""The folder is the registry: `losses.dino` is the class in components/losses/dino.py, read as text, imported late.

Signatures are read with `ast`, so that a spec can be checked without importing torch or running anybody's code.
"""

from __future__ import annotations

import ast
import importlib
import json
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from sslgraph import home
from sslgraph.errors import Fault, SpecError, SslgraphError, nearest
from sslgraph.schedules import is_schedule, schedule
from sslgraph.signature import Setting, Signature, mark_of, read_class
from sslgraph.traits import Role

_NAMES = {"Literal": Literal, "Any": Any, "Scalar": float, "Sequence": list, "Mapping": dict, "Path": str}


@cache
def catalogue(family: str = "*") -> tuple[str, ...]:
    """The names of all shipped parts, such as losses.dino, sorted; files without a marked class are their helpers."""
    files = [
        file for file in home.COMPONENTS.glob(f"{family}/*.py") if "\n@component(" in file.read_text(encoding="utf-8")
    ]
    return tuple(sorted(f"{file.parent.name}.{file.stem}" for file in files))


def with_role(role: Role, family: str = "*") -> tuple[str, ...]:
    """The names of the shipped parts that have a role, sorted; `family` narrows the search to one folder."""
    return tuple(name for name in catalogue(family) if signature(name).traits.role == role)


def signature(use: str, plugins: tuple[str, ...] = ()) -> Signature:
    """The signature of a part by its name in specs; raises SslgraphError with the nearest name, or about permission."""
    return _signature(use, tuple(plugins))


def build(use: str, settings: dict[str, Any], plugins: tuple[str, ...] = ()) -> Any:
    """Makes the part: imports its module, checks its settings against its signature, constructs it."""
    found = signature(use, plugins)
    if faults := setting_faults(found, settings):
        raise SpecError(faults)
    return load_class(use, plugins)(**{name: _constructed(found, name, value) for name, value in settings.items()})


def load_class(use: str, plugins: tuple[str, ...] = ()) -> Any:
    """The class behind a name; a failing import of a plugin is shown as itself, with the name of the plugin."""
    found = signature(use, plugins)
    try:
        return getattr(importlib.import_module(found.module), found.class_name)
    except Exception as failure:
        if found.family != "plugin":
            raise
        raise SslgraphError(
            f"the plugin {found.module} ({found.file}) failed while it was imported: "
            f"{type(failure).__name__}: {failure}"
        ) from failure


def setting_faults(found: Signature, settings: dict[str, Any], *, ports: Iterable[str] = ()) -> list[Fault]:
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
        elif problem := _type_problem(found, found.settings[name], value):
            faults.append(Fault((name,), problem))
    missing = [s for s in found.settings.values() if s.is_required and s.name not in settings]
    return faults + [Fault((), f"{found.use} needs the setting '{s.name}' ({s.annotation})") for s in missing]


def _type_problem(found: Signature, setting: Setting, value: Any) -> str:
    if is_schedule(value):
        if "Scalar" not in setting.annotation:
            return f"{found.use} fixes '{setting.name}' when it is built, so it can't be a schedule; write a number"
        try:
            schedule(value)
        except SslgraphError as wrong:
            return f"'{setting.name}' of {found.use}: {wrong}"
        return ""
    try:
        _adapter(setting.annotation).validate_json(json.dumps(value), strict=True)
    except (ValidationError, TypeError):
        return f"'{setting.name}' of {found.use} takes {setting.annotation}, and was given {value!r}"
    return ""


def _constructed(found: Signature, name: str, value: Any) -> Any:
    if is_schedule(value):
        return schedule(value).first
    return _adapter(found.settings[name].annotation).validate_json(json.dumps(value))


@cache
def _adapter(annotation: str) -> TypeAdapter[Any]:
    try:
        return TypeAdapter(eval(annotation, {"__builtins__": {}}, {**_NAMES, **_builtin_types()}))
    except Exception:  # an annotation that only its author's module can read: any value passes
        return TypeAdapter(Any)


def _builtin_types() -> dict[str, Any]:
    return {kind.__name__: kind for kind in (int, float, str, bool, list, tuple, dict, set)}


@cache
def _signature(use: str, plugins: tuple[str, ...]) -> Signature:
    module, class_name, file = _located(use, plugins)
    try:
        tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    except (OSError, SyntaxError, UnicodeDecodeError) as wrong:
        raise SslgraphError(f"{file}, which '{use}' names, can't be read: {wrong}") from wrong
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    wanted = [c for c in classes if (c.name == class_name if class_name else mark_of(c) is not None)]
    if not wanted:
        names = ", ".join(c.name for c in classes) or "none"
        raise SslgraphError(f"{file} holds no part {class_name or 'marked @component'}; its classes are: {names}")
    return read_class(use, module, file, wanted[0], {c.name: c for c in classes})


def _located(use: str, plugins: tuple[str, ...]) -> tuple[str, str, str]:
    if ":" in use:
        module, _, class_name = use.partition(":")
        if not any(module == allowed or module.startswith(allowed + ".") for allowed in plugins):
            raise SslgraphError(
                f"'{use}' is code from outside the catalogue, and a spec must not run code by itself; "
                f"if you trust it, allow it with --plugin {module} or the recipe's plugins: [{module}]"
            )
        file = home.source_of(module)
        if file is None:
            raise SslgraphError(
                f"the plugin module {module} was not found; it is looked for in: {', '.join(sys.path[:3])}, ..."
            )
        return module, class_name, str(file)
    path = home.COMPONENTS.joinpath(*use.split(".")).with_suffix(".py")
    if use not in catalogue():
        close = nearest(use, catalogue())
        family = use.split(".")[0]
        there = catalogue(family) if home.COMPONENTS.joinpath(family).is_dir() and family else ()
        hint = f"did you mean '{close}'?" if close else "own parts are written my_package.my_module:MyPart"
        listing = f"\n  there are: {', '.join(there)}" if there else ""
        raise SslgraphError(f"there is no part '{use}'{listing}\n  {hint}")
    return f"{home.PREFIX}components.{use}", "", str(path)
