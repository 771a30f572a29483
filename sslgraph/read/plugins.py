"""Modules whose parts a text may use: allowed by name, and found where Python finds them or beside the text."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.machinery import PathFinder
from pathlib import Path

from sslgraph.errors import Fault, Place, SpecError, nearest
from sslgraph.parts import module_text, registry
from sslgraph.read.loaded import Loaded
from sslgraph.read.located import Value
from sslgraph.read.spec import Method, Recipe


def allowed(
    given: Sequence[str], *texts: Loaded[Method] | Loaded[Recipe], folders: Sequence[Path] = ()
) -> tuple[str, ...]:
    """The modules that a command (`--plugin`) and recipes (`plugins:`) allow.

    One that Python does not find is looked for in the folders of the files that the texts stand in, then in `folders`.
    A folder in which one is found joins the end of the import path. SpecError if one that a text needs is nowhere.
    """
    asked = {name: Place(f"--plugin {name}") for name in given}
    for text in texts:
        for i, name in enumerate(text.spec.plugins if isinstance(text.spec, Recipe) else ()):
            asked.setdefault(name, text.place(("plugins", i)))
    files = [Path(file) for text in texts for file in text.text.files] if asked else []
    places = tuple(dict.fromkeys([*(file.parent.resolve() for file in files), *folders]))
    faults = [Fault(place, clash, cure="rename one of them") for name, place in asked.items()
              if (clash := _joined(name.partition(".")[0], places))]  # fmt: skip
    there = [name for name in asked if module_text.is_there(name)]
    needed = {module for text in texts for module in _used(text.text) if not registry.is_allowed(module, there)}
    if needed:
        faults += [_nowhere(name, place, places, needed) for name, place in asked.items() if name not in there]
    if faults:
        raise SpecError(faults)
    return tuple(asked)


def folders_of(names: Iterable[str]) -> dict[str, str]:
    """Of each allowed module that is not installed, the folder that has to be on the import path."""
    installed = (sys.prefix, sys.base_prefix)
    found = {name: module_text.folder_of(name) for name in names}
    return {name: str(folder) for name, folder in found.items() if folder and not str(folder).startswith(installed)}


def _joined(first: str, folders: Iterable[Path]) -> str:
    """Makes a module of one of these folders importable; the problem, if another of its name is in the way."""
    for folder in folders:
        here = PathFinder.find_spec(first, [str(folder)])
        if here is None:
            continue
        there = module_text.source_of(first)
        if not module_text.is_there(first):
            importlib.invalidate_caches()
            sys.path.append(str(folder))
        elif here.origin and there and not there.samefile(here.origin):
            return f"two modules are called '{first}': {there}, and {here.origin} beside this text"
    return ""


def _nowhere(name: str, place: Place, folders: Iterable[Path], needed: Iterable[str]) -> Fault:
    searched = dict.fromkeys([*map(str, folders), *module_text.searched()])
    known = {*needed, *(file.stem for folder in searched for file in Path(folder).glob("*.py"))}
    known |= {file.parent.name for folder in searched for file in Path(folder).glob("*/__init__.py")}
    close = nearest(name, known)
    where = f"it is looked for in {', '.join(searched)} and among installed packages"
    return Fault(place, f"there is no module '{name}'", cure=f"did you mean '{close}'? {where}" if close else where)


def _used(text: Value) -> set[str]:
    """The modules that a text names in `use:`."""
    found, inner = set(), text.content
    if isinstance(inner, Mapping):
        use = inner.get("use")
        if use and isinstance(use.content, str) and ":" in use.content:
            found.add(use.content.partition(":")[0])
    for value in inner.values() if isinstance(inner, Mapping) else inner if isinstance(inner, list) else ():
        found |= _used(value)
    return found
