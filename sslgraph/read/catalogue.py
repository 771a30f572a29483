"""The catalogue of specs: methods, recipes, pipelines and augmentations by name, and the file of a name.

Imports no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path as File
from typing import Literal

from sslgraph import home
from sslgraph.errors import SpecError, refusal, unknown
from sslgraph.read.located import Value

Kind = Literal["methods", "recipes", "pipelines", "augmentations"]
EVALUATION = "center"  # the augmentation of the fixed view in which features are measured
BASES = ("base", "default")  # recipes without a method: a data set's, and the one for a method's file


@dataclass(frozen=True)
class Entry:
    """A shipped spec: its name, and what its first line says."""

    name: str
    line: str
    file: File


def names(kind: Kind) -> tuple[str, ...]:
    """The names of all shipped specs of a kind, in order; a recipe's name has its data set: cifar10/simclr.

    Every method has a recipe for every data set: where it has none of its own, the data set's base with the method.
    A base itself is no recipe: it has no method.
    """
    own = with_files(kind)
    if kind != "recipes":
        return own
    implied = [f"{data}/{method}" for data in datasets() for method in names("methods")]
    return tuple(sorted({name for name in (*own, *implied) if name.rpartition("/")[2] not in BASES}))


def with_files(kind: Kind) -> tuple[str, ...]:
    """The names of those that have a file of their own, bases among them."""
    folder = home.SPECS / kind
    return tuple(sorted(file.relative_to(folder).with_suffix("").as_posix() for file in folder.rglob("*.yaml")))


def datasets() -> tuple[str, ...]:
    """The data sets for which there is a base: demo, cifar10, ..."""
    return tuple(sorted(name.removesuffix("/base") for name in with_files("recipes") if name.endswith("/base")))


def entries(kind: Kind) -> tuple[Entry, ...]:
    """All shipped specs of a kind with what they say of themselves, for `sslgraph list`."""
    found = ((name, home.SPECS / kind / f"{name}.yaml") for name in with_files(kind))
    return tuple(Entry(name, _first_line(file), file) for name, file in found)


def has(kind: Kind, name: str) -> bool:
    """Whether a spec of this name is shipped."""
    return name in names(kind) or name in with_files(kind)


def base_of(recipe: str) -> str | None:
    """The base of a recipe without a file of its own: cifar10/base; None if the recipe has one."""
    return None if recipe in with_files("recipes") else f"{recipe.rpartition('/')[0]}/base"


def is_file(name: str | File) -> bool:
    """Whether what a user wrote means a file rather than a name: text means a file if it ends in .yaml."""
    return isinstance(name, File) or name.endswith((".yaml", ".yml"))


def file_of(kind: Kind, name: str | File, *, value: Value | None = None) -> File:
    """The file of a name or of a path. `value` says where it is written: a path starts from that file's folder."""
    if is_file(name):
        file = File(value.place.file).parent / name if value else File(name)
        if value and not file.is_file():
            raise refusal(value.place, f"there is no file {file}", "its path starts from the folder of this text")
        return file
    if has(kind, str(name)):
        base = base_of(str(name)) if kind == "recipes" else None
        return home.SPECS / kind / f"{base or name}.yaml"
    what, known = f"there is no {kind.removesuffix('s')}", {*names(kind), *with_files(kind)}
    raise SpecError([unknown(value.place if value else (), what, str(name), known)])


def _first_line(file: File) -> str:
    """The first line's comment; a method's says what it is."""
    with file.open(encoding="utf-8") as opened:
        first = opened.readline(1000)
    return first.partition("#")[2].strip() or first.strip()
