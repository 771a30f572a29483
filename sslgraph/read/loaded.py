"""What loading gives: a frozen spec, and the place of each of its values. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path as File
from typing import Generic, TypeVar

from sslgraph.errors import Place
from sslgraph.read.located import Value
from sslgraph.read.spec import Augmentation, Method, Path, Pipeline, Recipe

Spec = TypeVar("Spec", Method, Recipe, Pipeline, Augmentation)


@dataclass(frozen=True)
class Loaded(Generic[Spec]):
    """A spec, and where each of its values stands: in its file, in a parent's, or on the command line."""

    spec: Spec
    text: Value
    file: File

    def place(self, path: Path) -> Place:
        """Where the value at a path stands; of a path that is not there, the innermost value around it."""
        return self.text.nearest(path).place


def method_in(recipe: Loaded[Recipe]) -> Loaded[Method]:
    """The method of a recipe, as the recipe and the command line change it."""
    text: Value = recipe.text.content["method"]
    return Loaded(recipe.spec.method, text, File(text.place.file))
