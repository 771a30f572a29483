"""The folder is the registry: `losses.dino` is the class in components/losses/dino.py, read as text, imported late.

Signatures are read with `ast`, so that a spec can be checked without importing torch or running anybody's code.
"""

from __future__ import annotations

import ast
import importlib
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from sslgraph import home
from sslgraph.errors import SslgraphError, nearest
from sslgraph.schedules import is_schedule, schedule

REQUIRED = "required"
RESERVED_PORTS = ("draw", "clock")
# Parts whose arithmetic is done in float32 with autocast off, whatever the precision of the nets.
FLOAT32_FAMILIES = ("losses", "assignments", "clustering")
_NAMES = {"Literal": Literal, "Any": Any, "Scalar": float, "Sequence": list, "Mapping": dict, "Path": str}


@dataclass(frozen=True)
class Port:
    """A place where a tensor goes in or comes out, with the axes of its annotation."""

    name: str
    text: str
    optional: bool = False

    @property
    def axes(self) -> tuple[str, ...] | None:
        """The axis names of `Float[Tensor, "batch dim"]`, or None where the annotation has none."""
        parts = self.text.split('"') if '"' in self.text else self.text.split("'")
        return tuple(parts[1].split()) if len(parts) == 3 else None

    @property
    def is_bag(self) -> bool:
        """Whether the port takes all views of a bag at once, stacked on a leading axis."""
        return bool(self.axes) and self.axes is not None and self.axes[0].startswith("views")

    @property
    def is_integer(self) -> bool:
        """Whether the annotation promises whole numbers or truth values, which carry no gradient."""
        return self.text.split("[")[0].startswith(("Int", "UInt", "Bool", "Integer"))

    def __str__(self) -> str:
        return f"{self.text.split('[')[0]}[{' '.join(self.axes)}]" if self.axes is not None else self.text


@dataclass(frozen=True)
class Setting:
    """A constructor parameter of a part: its annotation as text, and its default."""

    name: str
    annotation: str
    default: Any

    @property
    def is_required(self) -> bool:
        """Whether a spec must give it."""
        return self.default is REQUIRED


@dataclass(frozen=True)
class Signature:
    """What can be known of a part without importing it."""

    use: str
    class_name: str
    module: str
    file: str
    doc: str
    source: str
    settings: dict[str, Setting]
    inputs: dict[str, Port]
    outputs: tuple[Port, ...]
    writes: dict[str, dict[str, Port]]
    detached: tuple[str, ...]
    has_reset: bool

    @property
    def has_fields(self) -> bool:
        """Whether the output is a NamedTuple, whose fields are ports."""
        return bool(self.outputs) and self.outputs[0].name != ""

    @property
    def ports(self) -> dict[str, Port]:
        """The input ports that a spec may connect (the reserved ones are fed by the compiler)."""
        return {name: port for name, port in self.inputs.items() if name not in RESERVED_PORTS}

    @property
    def family(self) -> str:
        """The folder: losses, heads, ...; "plugin" for a part from elsewhere."""
        return self.use.split(".")[0] if ":" not in self.use else "plugin"


@cache
def catalogue(family: str = "*") -> tuple[str, ...]:
    """The names of all shipped parts, such as losses.dino, sorted; files without a marked class are their helpers."""
    files = [
        file for file in home.COMPONENTS.glob(f"{family}/*.py") if "\n@component(" in file.read_text(encoding="utf-8")
    ]
    return tuple(sorted(f"{file.parent.name}.{file.stem}" for file in files))


def signature(use: str, plugins: tuple[str, ...] = ()) -> Signature:
    """The signature of a part by its name in specs; raises SslgraphError with the nearest name, or about permission."""
    return _signature(use, tuple(plugins))


def build(use: str, settings: dict[str, Any], plugins: tuple[str, ...] = ()) -> Any:
    """Makes the part: imports its module, checks its settings against its signature, constructs it."""
    found = signature(use, plugins)
    for problem in setting_problems(found, settings):
        raise SslgraphError(problem)
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


def setting_problems(found: Signature, settings: dict[str, Any], *, ports: Iterable[str] = ()) -> list[str]:
    """What is wrong with these settings of a part, one sentence each; an empty list if nothing is.

    `ports` are names that may stand beside the settings, as in a loss.
    """
    problems = []
    for name, value in settings.items():
        if name not in found.settings:
            known = [*found.settings, *ports]
            close = nearest(name, known)
            hint = f"did you mean '{close}'?" if close else f"it has: {', '.join(known) or 'none'}"
            problems.append(f"{found.use} has no setting '{name}'; {hint}")
        elif problem := _type_problem(found, found.settings[name], value):
            problems.append(problem)
    missing = [s.name for s in found.settings.values() if s.is_required and s.name not in settings]
    return problems + [
        f"{found.use} needs the setting '{name}' ({found.settings[name].annotation})" for name in missing
    ]


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
    wanted = [c for c in classes if (c.name == class_name if class_name else _mark(c) is not None)]
    if not wanted:
        names = ", ".join(c.name for c in classes) or "none"
        raise SslgraphError(f"{file} holds no part {class_name or 'marked @component'}; its classes are: {names}")
    return _read_class(use, module, file, wanted[0], {c.name: c for c in classes})


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


def _mark(node: ast.ClassDef) -> ast.Call | None:
    for mark in node.decorator_list:
        if isinstance(mark, ast.Call) and getattr(mark.func, "id", getattr(mark.func, "attr", "")) == "component":
            return mark
    return None


def _read_class(use: str, module: str, file: str, node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> Signature:
    mark = _mark(node)
    words = {k.arg: ast.literal_eval(k.value) for k in mark.keywords if k.arg} if mark else {}
    methods = {m.name: m for m in node.body if isinstance(m, ast.FunctionDef)}
    forward = methods.get("forward")
    return Signature(
        use=use,
        class_name=node.name,
        module=module,
        file=file,
        doc=ast.get_docstring(node) or "",
        source=words.get("source", ""),
        detached=tuple(words.get("detached", ())),
        settings=_settings(methods["__init__"]) if "__init__" in methods else {},
        inputs=_ports(forward) if forward else {},
        outputs=_outputs(forward, classes) if forward else (),
        writes={name: _ports(m) for name, m in methods.items() if _is_write(m)},
        has_reset="reset" in methods,
    )


def _settings(init: ast.FunctionDef) -> dict[str, Setting]:
    settings = {}
    positional = init.args.args[1:]
    defaults = [None] * (len(positional) - len(init.args.defaults)) + list(init.args.defaults)
    for argument, default in [
        *zip(positional, defaults, strict=True),
        *zip(init.args.kwonlyargs, init.args.kw_defaults, strict=True),
    ]:
        annotation = ast.unparse(argument.annotation) if argument.annotation else "Any"
        settings[argument.arg] = Setting(argument.arg, annotation, REQUIRED if default is None else _literal(default))
    return settings


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ast.unparse(node)


def _ports(method: ast.FunctionDef) -> dict[str, Port]:
    arguments = method.args.args[1:] + method.args.kwonlyargs
    optional = {a.arg for a in method.args.args[len(method.args.args) - len(method.args.defaults) :]}
    optional |= {a.arg for a, d in zip(method.args.kwonlyargs, method.args.kw_defaults, strict=True) if d is not None}
    return {a.arg: Port(a.arg, _without_none(a.annotation), a.arg in optional) for a in arguments}


def _without_none(annotation: ast.expr | None) -> str:
    if isinstance(annotation, ast.BinOp):
        annotation = annotation.left
    return ast.unparse(annotation) if annotation else "Any"


def _outputs(forward: ast.FunctionDef, classes: dict[str, ast.ClassDef]) -> tuple[Port, ...]:
    if forward.returns is None:
        return (Port("", "Any"),)
    text = ast.unparse(forward.returns).strip("'\"")
    if text in classes:
        fields = [f for f in classes[text].body if isinstance(f, ast.AnnAssign) and isinstance(f.target, ast.Name)]
        return tuple(Port(f.target.id, _without_none(f.annotation)) for f in fields if isinstance(f.target, ast.Name))
    return (Port("", _without_none(forward.returns)),)


def _is_write(method: ast.FunctionDef) -> bool:
    return any(getattr(d, "id", getattr(d, "attr", "")) == "writes" for d in method.decorator_list)
