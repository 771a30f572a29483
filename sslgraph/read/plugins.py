"""The modules whose parts a text may use: the user names them; they are found on Python's path or beside the text."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib.machinery import PathFinder
from pathlib import Path

from sslgraph.errors import Fault, Place, SslgraphError, nearest, raise_all
from sslgraph.parts import module_text, registry
from sslgraph.read import catalogue
from sslgraph.read.document import read
from sslgraph.read.loaded import Loaded
from sslgraph.read.located import Value
from sslgraph.read.spec import Method, Recipe
from sslgraph.read.trusted import is_trusted, remember


def allowed(
    given: Sequence[str], *texts: Loaded[Method] | Loaded[Recipe], folders: Sequence[Path] = ()
) -> tuple[str, ...]:
    """The modules that may run: those that a command names (`--plugin`), and of those that texts need the trusted ones.

    One that Python does not find is looked for in the folders of the files that the texts stand in, in `folders` and
    in the current folder. A folder in which one is found joins the end of the import path. What a command names is
    trusted from then on. SpecError if one that a text needs is nowhere, or is named by a recipe and not trusted.
    """
    asked = {name: Place(f"--plugin {name}") for name in given}
    named = {name: text.place(("plugins", i)) for text in texts if isinstance(text.spec, Recipe)
             for i, name in enumerate(text.spec.plugins) if name not in asked}  # fmt: skip
    roots = [root for text in texts for root in (text.text, *_augmentations(text.text))]
    used = {module for root in roots for module in _used(root)}
    if not asked and not named and not used:
        return ()
    files = (Path(file).parent.resolve() for root in roots for file in root.files)
    places = tuple(dict.fromkeys([*files, *folders, Path.cwd()]))
    trusted_ones = [name for name in dict.fromkeys([*named, *sorted(used)]) if name not in asked
                    and is_trusted(name, _file(name, places))]  # fmt: skip
    may = [*asked, *trusted_ones]
    faults = [Fault(asked.get(name) or named.get(name) or (), clash, cure="rename one of them") for name in may
              if (clash := _joined(name.partition(".")[0], places))]  # fmt: skip
    there = [name for name in may if module_text.is_there(name)]
    needed = {module for module in used if not registry.is_allowed(module, there)}
    for name, place in {**asked, **named}.items() if needed else ():
        if name in there:
            continue
        file = _file(name, places)
        if file is None:
            faults.append(_nowhere(name, place, places, needed))
        elif any(registry.is_allowed(module, (name,)) for module in needed):
            problem = f"the plugin '{name}' ({file}) is code, and a text must not run code by itself"
            faults.append(Fault(place, problem, cure=f"if you trust it, give --plugin {name}; that is remembered"))
    raise_all(faults)
    remember([(name, file) for name in asked if (file := _file(name, places))])
    return tuple(may)


def folders_of(names: Iterable[str]) -> dict[str, str]:
    """Of each allowed module that is not installed, the folder that has to be on the import path."""
    installed = (sys.prefix, sys.base_prefix)
    found = {name: module_text.folder_of(name) for name in names}
    return {name: str(folder) for name, folder in found.items() if folder and not str(folder).startswith(installed)}


def _file(module: str, folders: Iterable[Path]) -> Path | None:
    """The file of the outermost package of a module, or its folder; where Python finds it, or in one of these."""
    first = module.partition(".")[0]
    found = module_text.spec_of(first) or PathFinder.find_spec(first, [*map(str, folders)])
    if found is None:
        return None
    inside = [*(found.submodule_search_locations or ())]
    return Path(found.origin) if found.has_location and found.origin else Path(inside[0]) if inside else None


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


def _augmentations(text: Value) -> Iterator[Value]:
    """The texts of the files of augmentations that views name; what is wrong with one is reported when it is read."""
    views = (text.child("method") or text).child("views")
    inner = views.content if views is not None else None
    for view in inner.values() if isinstance(inner, Mapping) else ():
        augment = view.child("augment")
        if augment is not None and isinstance(augment.content, str) and catalogue.is_file(augment.content):
            with suppress(SslgraphError):
                yield read(catalogue.file_of("augmentations", augment.content, value=augment)).root


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
