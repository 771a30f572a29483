"""What loading gives: a frozen spec, and the place of each of its values. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path as File

from sslgraph.errors import Place
from sslgraph.spec import Augmentation, Method, Path, Pipeline, Recipe
from sslgraph.values import Value


@dataclass(frozen=True)
class LoadedMethod:
    """A method, and where each of its values stands: in the child's file or in the parent's."""

    method: Method
    text: Value
    file: File

    def place(self, path: Path) -> Place:
        """Where the value at a path stands; of a path that is not there, the innermost value around it."""
        return self.text.nearest(path).place


@dataclass(frozen=True)
class LoadedRecipe:
    """A recipe with its method, to which the recipe's changes and the command line's are already made."""

    recipe: Recipe
    method: LoadedMethod
    text: Value
    file: File

    def place(self, path: Path) -> Place:
        """Where a value of the recipe stands."""
        return self.text.nearest(path).place


@dataclass(frozen=True)
class LoadedPipeline:
    """A pipeline, its stages in an order in which they can run."""

    pipeline: Pipeline
    text: Value
    file: File

    def place(self, path: Path) -> Place:
        """Where a value of the pipeline stands."""
        return self.text.nearest(path).place


@dataclass(frozen=True)
class LoadedAugmentation:
    """An augmentation, and where each of its steps stands."""

    augmentation: Augmentation
    text: Value
    file: File

    def place(self, path: Path) -> Place:
        """Where a value of the augmentation stands."""
        return self.text.nearest(path).place
