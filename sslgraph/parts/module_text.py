"""Reads Python modules as text: what a name stands for, through imports. Nothing is imported or run."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path

Definition = ast.ClassDef | ast.expr


@dataclass(frozen=True)
class Module:
    """A module's text; `name` is what an import calls it."""

    name: str
    file: Path
    tree: ast.Module

    @property
    def classes(self) -> list[ast.ClassDef]:
        """The classes that it defines itself."""
        return [node for node in self.tree.body if isinstance(node, ast.ClassDef)]


def is_there(module: str) -> bool:
    """Whether an import would find a module; a folder without `__init__.py` is one."""
    return spec_of(module) is not None


def source_of(module: str) -> Path | None:
    """The file of a module (`my_package.my_module`), or None; neither it nor its package is run."""
    found = spec_of(module)
    return Path(found.origin) if found and found.has_location and found.origin else None


def folder_of(module: str) -> Path | None:
    """The folder on the import path in which a module, or the package around it, is found."""
    first = spec_of(module.partition(".")[0])
    inside = list(first.submodule_search_locations or ()) if first else []
    source = source_of(module.partition(".")[0])
    return Path(inside[0]).parent if inside else source.parent if source else None


def searched() -> tuple[str, ...]:
    """The folders, besides those of installed packages, in which modules are looked for."""
    installed = (sys.prefix, sys.base_prefix)
    return tuple(dict.fromkeys(folder for folder in sys.path if folder and not folder.startswith(installed)))


def read(module: str) -> Module | None:
    """A module by its name; None if there is none, or none with a text. OSError, SyntaxError, UnicodeDecodeError."""
    file = source_of(module)
    return read_file(module, file) if file is not None and file.suffix == ".py" else None


def read_file(module: str, file: Path) -> Module:
    """The module that a file holds."""
    return Module(module, file, _tree(file, file.stat().st_mtime_ns))


def find(module: Module, name: str, seen: frozenset[tuple[str, str]] = frozenset()) -> tuple[Module, Definition] | None:
    """The definition that a name of a module leads to, and the module of the definition.

    Names are followed through `from .vicreg import VICReg`, star imports and assignments of one name to another.
    """
    if (module.name, name) in seen:
        return None
    seen |= {(module.name, name)}
    for node in reversed(list(_statements(module.tree.body))):  # the last binding counts
        if isinstance(node, ast.ClassDef) and node.name == name:
            return module, node
        value = _assigned(node, name)
        if isinstance(value, ast.Name | ast.Attribute):
            return resolve(module, value, seen)
        if value is not None:
            return module, value
        for source, original in _imported(module, node, name):
            text = _read_or_none(source)
            if text and (found := find(text, original, seen)):
                return found
    return None


def resolve(
    module: Module, expression: ast.expr, seen: frozenset[tuple[str, str]] = frozenset()
) -> tuple[Module, Definition] | None:
    """The definition of an expression such as `Seen` or `nn.Module` in a module."""
    if isinstance(expression, ast.Name):
        return find(module, expression.id, seen)
    owner = _module_of(module, expression.value) if isinstance(expression, ast.Attribute) else None
    text = _read_or_none(owner) if owner else None
    return find(text, expression.attr, seen) if text and isinstance(expression, ast.Attribute) else None


def full_name(module: Module, expression: ast.expr) -> str:
    """`torch.nn.Module`, as an import would call the expression; read from this module alone."""
    own = f"{module.name}." if isinstance(expression, ast.Name) else ""
    return _module_of(module, expression) or f"{own}{ast.unparse(expression)}"


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module, those under `if` and `try` included."""
    for node in body:
        yield node
        if isinstance(node, ast.Try):
            yield from _statements([statement for handler in node.handlers for statement in handler.body])
        if isinstance(node, ast.If | ast.Try):
            yield from _statements([*node.body, *node.orelse])


def _assigned(node: ast.stmt, name: str) -> ast.expr | None:
    if isinstance(node, ast.Assign):
        targets: list[ast.expr] = node.targets
    else:  # `Rows: TypeAlias = ...`, or `type Rows = ...` (Python 3.12)
        target = getattr(node, "target", getattr(node, "name", None))
        targets = [target] if isinstance(target, ast.Name) else []
    value = getattr(node, "value", None)
    return value if any(isinstance(t, ast.Name) and t.id == name for t in targets) else None


def _imported(module: Module, node: ast.stmt, name: str, *, stars: bool = True) -> Iterator[tuple[str, str]]:
    """The (module, name in it) that a `from` import may bind a name to."""
    if isinstance(node, ast.ImportFrom):
        source = _absolute(module, node)
        for alias in node.names:
            if alias.name == "*" and stars and not name.startswith("_"):
                yield source, name
            elif (alias.asname or alias.name) == name:
                yield source, alias.name


def _module_of(module: Module, expression: ast.expr) -> str | None:
    """The module that an expression such as `torch.nn` names."""
    if isinstance(expression, ast.Attribute):
        owner = _module_of(module, expression.value)
        return f"{owner}.{expression.attr}" if owner else None
    if not isinstance(expression, ast.Name):
        return None
    for node in reversed(list(_statements(module.tree.body))):
        for alias in node.names if isinstance(node, ast.Import) else ():
            if alias.asname == expression.id:
                return alias.name
            if not alias.asname and alias.name.split(".")[0] == expression.id:
                return expression.id
        for source, original in _imported(module, node, expression.id, stars=False):
            return f"{source}.{original}"
    return None


def _absolute(module: Module, node: ast.ImportFrom) -> str:
    """The module that `from ..x import` names, counted from the package of the module."""
    if not node.level:
        return node.module or ""
    package = module.name.split(".")
    package = package if module.file.name == "__init__.py" else package[:-1]
    return ".".join([*package[: len(package) - node.level + 1], *([node.module] if node.module else [])])


def spec_of(module: str) -> ModuleSpec | None:
    """Where an import would find a module; neither it nor its package is run."""
    first, *rest = module.split(".")
    try:
        found = find_spec(first)
        for depth, _ in enumerate(rest, start=2):
            # find_spec would import the package around a module to look into it; the path finder does not.
            within = found.submodule_search_locations if found else None
            found = PathFinder.find_spec(".".join(module.split(".")[:depth]), within) if within else None
    except (ImportError, ValueError):
        return None
    return found


def _read_or_none(module: str) -> Module | None:
    try:
        return read(module)
    except (OSError, SyntaxError, UnicodeDecodeError):
        return None


@lru_cache(maxsize=256)
def _tree(file: Path, changed: int) -> ast.Module:  # noqa: ARG001
    text = file.read_text(encoding="utf-8")
    try:
        return ast.parse(text)
    except SystemError:  # Python before 3.11.8 (gh-106905) fails now and then when another thread parses, too
        return ast.parse(text)
