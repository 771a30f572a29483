"""The folder is the registry: `losses.dino` is the class in components/losses/dino.py, read as text, imported late.

Signatures are read as text, so that a spec can be checked without importing torch or running anybody's code. What the
text of an own part leaves open is read from its class, once it may be imported.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from sslgraph import home
from sslgraph.errors import SpecError, SslgraphError, nearest, refusal
from sslgraph.parts import mark, module_text, part_class
from sslgraph.parts.arguments import constructed, setting_faults
from sslgraph.parts.module_text import Module
from sslgraph.parts.part_text import read_class, unreadable
from sslgraph.parts.signature import Signature
from sslgraph.traits import Role

MOST = 30  # classes of a module that a message names
WRAPPED = "docs/parts.md, Networks that a function makes"


@cache
def catalogue(family: str = "*") -> tuple[str, ...]:
    """The names of all shipped parts, such as losses.dino, sorted; files without a marked class are their helpers."""
    files = [
        file for file in home.COMPONENTS.glob(f"{family}/*.py") if "\n@component(" in file.read_text(encoding="utf-8")
    ]
    return tuple(sorted(f"{file.parent.name}.{file.stem}" for file in files))


@cache
def title(use: str) -> str:
    """What the file of a shipped part says of it first."""
    file = home.COMPONENTS.joinpath(*use.split(".")).with_suffix(".py")
    return file.read_text(encoding="utf-8").partition('"""')[2].partition("\n")[0].strip('".')


def about(word: str, family: str = "*") -> tuple[str, ...]:
    """The shipped parts whose name or first line has a word, whatever its case."""
    whole = re.compile(rf"\b{re.escape(word.replace('_', ' '))}s?\b", re.IGNORECASE)
    return tuple(use for use in catalogue(family) if whole.search(f"{use.replace('_', ' ')} {title(use)}"))


def meant(word: str) -> str:
    """What to say of a name that no part has: the few parts that tell of it; empty where none or many do."""
    found = about(word) if len(word) > 1 else ()
    return f"{' or '.join(found)} may be what you mean" if 0 < len(found) < 4 else ""


def with_role(role: Role, family: str = "*") -> tuple[str, ...]:
    """The names of the shipped parts that have a role, sorted; `family` narrows the search to one folder."""
    return tuple(name for name in catalogue(family) if signature(name).traits.role == role)


def signature(use: str, plugins: tuple[str, ...] = (), *, imports: bool = True) -> Signature:
    """The signature of a part by its name in specs; SslgraphError with the nearest name, or about permission.

    A plugin whose text leaves something open is imported, unless told not to; the signature then says what is `unread`.
    """
    found = _signature(use, tuple(plugins))
    return _imported(use, tuple(plugins)) if found.unread and imports else found


def is_allowed(module: str, plugins: Iterable[str]) -> bool:
    """Whether code of a module may run: it, or a package around it, is named as a plugin."""
    return any(module == plugin or module.startswith(f"{plugin}.") for plugin in plugins)


def let_through(use: str) -> tuple[str, ...]:
    """The plugin of a part that was allowed when its text was read: for steps of an augmentation, which are read once
    and built for each view that names it.
    """
    return (use.partition(":")[0],) if ":" in use else ()


def build(use: str, settings: dict[str, Any], plugins: tuple[str, ...] = ()) -> Any:
    """Makes the part: imports its module, checks its settings against its signature, constructs it."""
    found = signature(use, plugins)
    if faults := setting_faults(found, settings):
        raise SpecError(faults)
    part = load_class(use, plugins)
    if found.family == "plugin":
        part_class.refuse_difference(found, part)
    return part(**{name: constructed(found.settings[name], value) for name, value in settings.items()})


def load_class(use: str, plugins: tuple[str, ...] = ()) -> Any:
    """The class behind a name; a failing import of a plugin is shown as itself, with the name of the plugin."""
    found = _signature(use, tuple(plugins))
    try:
        module = importlib.import_module(found.module)
    except Exception as failure:
        if found.family != "plugin":
            raise
        problem = f"the plugin {found.module} ({found.file}) failed while it was imported"
        raise SslgraphError(f"{problem}: {type(failure).__name__}: {failure}") from failure
    part = getattr(module, found.class_name, None)
    if not isinstance(part, type):
        raise _no_class(found.module, found.class_name, vars(module))
    return part


@cache
def _signature(use: str, plugins: tuple[str, ...]) -> Signature:
    if ":" in use:
        return _plugin(use, plugins)
    file = home.COMPONENTS.joinpath(*use.split(".")).with_suffix(".py")
    if use not in catalogue():
        close = nearest(use, catalogue())
        family = use.split(".")[0]
        there = catalogue(family) if home.COMPONENTS.joinpath(family).is_dir() and family else ()
        own = "own parts are written my_package.my_module:MyPart"
        cure = f"did you mean '{close}'?" if close else "; ".join(filter(None, (meant(use.split(".")[-1]), own)))
        raise refusal((), f"there is no part '{use}'", cure, there)
    module = module_text.read_file(f"sslgraph.components.{use}", file)
    return read_class(use, module, next(node for node in module.classes if mark.call_of(node)))


def _plugin(use: str, plugins: tuple[str, ...]) -> Signature:
    name, _, class_name = use.partition(":")
    if not is_allowed(name, plugins):
        problem = f"'{use}' is code from outside the catalogue, and a spec must not run code by itself"
        raise refusal((), problem, f"if you trust it, allow it with --plugin {name}; that is remembered")
    if not module_text.is_there(name):
        raise refusal((), f"there is no module '{name}'", f"it is looked for in {', '.join(module_text.searched())}")
    module = _read(use, name)
    found, node = (module and module_text.find(module, class_name)) or (None, None)
    if found is None or not isinstance(node, ast.ClassDef):
        return unreadable(use, name, class_name, "" if node is None else ast.unparse(node))
    return replace(read_class(use, found, node), module=name, class_name=class_name)


@cache
def _imported(use: str, plugins: tuple[str, ...]) -> Signature:
    found = _signature(use, plugins)
    return part_class.completed(found, load_class(use, plugins))


def _read(use: str, module: str) -> Module | None:
    try:
        return module_text.read(module)
    except (OSError, SyntaxError, UnicodeDecodeError) as wrong:
        file = module_text.source_of(module)
        raise SslgraphError(f"{file}, which '{use}' names, can't be read: {wrong}") from wrong


def _no_class(module: str, name: str, there: Mapping[str, Any]) -> SpecError:
    classes = sorted(key for key, value in there.items() if isinstance(value, type) and _is_used(value))
    other = there.get(name)
    problem = f"{module} has no class '{name}'" + (f"; it is a {type(other).__name__}" if other is not None else "")
    if other is not None and callable(other):  # a function that makes modules: its inputs are not known
        return refusal((), problem, f"write a class whose constructor calls it: {WRAPPED}")
    close = nearest(name, classes)
    return refusal((), problem, f"did you mean '{close}'?" if close else "", classes if len(classes) <= MOST else ())


def _is_used(kind: type) -> bool:
    """Whether a spec may have a use for a class: a part, or an optimizer."""
    return hasattr(kind, "forward") or hasattr(kind, "step")
