"""The result of loading: a frozen spec, and the place of each of its values. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any, Generic, TypeVar

from sslgraph.errors import Fault, Place, SpecError
from sslgraph.read.located import Value
from sslgraph.read.spec import Augmentation, Method, Path, Pipeline, Recipe

Spec = TypeVar("Spec", Method, Recipe, Pipeline, Augmentation)


@dataclass(frozen=True)
class Loaded(Generic[Spec]):
    """A spec, and where each of its values is: in its file, in a parent's, or on the command line."""

    spec: Spec
    text: Value
    file: File

    def place(self, path: Path) -> Place:
        """The place of the value at a path; of a path that is not there, that of the innermost value around it."""
        return self.text.nearest(path).place


class UnsoundError(SpecError):
    """Faults of a text, and what it says without its faulty values, so that the rest of it can be checked too."""

    def __init__(self, faults: Sequence[Fault], without: Loaded[Any]) -> None:
        super().__init__(faults)
        self.without = without


def method_in(recipe: Loaded[Recipe]) -> Loaded[Method]:
    """The method of a recipe, as the recipe and the command line change it."""
    text: Value = recipe.text.content["method"]
    return Loaded(recipe.spec.method, text, File(text.place.file))
