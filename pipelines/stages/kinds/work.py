"""What a kind of stage is: the settings that it takes, whether it trains, and what it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from sslgraph.read.loaded import Loaded
from sslgraph.read.spec import Recipe, Stage

# Inputs that are no given weights or features: the training that a stage is of, the images that it works on.
OF, DATA = "of", "data"
IMAGES = "images"  # the folder of an artefact whose images later stages take


Gives = Literal["weights", "features", "images", ""]


@dataclass(frozen=True)
class Work:
    """One stage that is to be done: its text, the folder that it fills, and the artefacts that it is given.

    `inputs` has the folder of each input, OF, DATA or the name under `given:`. `request` is that of the training.
    `gathered` has, for a stage that gathers, the name under `given:` and the choices of the grid behind each input.
    """

    name: str
    stage: Stage
    folder: Path
    inputs: Mapping[str, Path]
    request: Mapping[str, Any] = field(default_factory=dict)
    recipe: Loaded[Recipe] | None = None
    plugins: tuple[str, ...] = ()
    gathered: Mapping[str, tuple[str, Mapping[str, str]]] = field(default_factory=dict)

    @property
    def data(self) -> str | None:
        """Where the images of `data:` are, a path or an earlier stage's; None if the stage names none."""
        return str(self.inputs[DATA]) if DATA in self.inputs else self.stage.settings.get(DATA)


@dataclass(frozen=True)
class StageKind:
    """What is said of a kind without doing it; `settings` are its own, each as an annotation.

    `takes` has the names under `given:` of features, and whether each must be there. `fault` says what is wrong with a
    stage's settings together.
    """

    does: str  # MODULE.FUNCTION of this folder, imported when a stage runs: it brings torch with it
    settings: Mapping[str, str]
    trains: bool = False  # it has a recipe; the others have `of:`, an earlier training
    begins: bool = False  # it has `data:` alone, that of the command line if it names none
    gathers: bool = False  # it has `given:` instead, and takes all cells of these stages
    of_labels: tuple[str, ...] = ()
    gives: Gives = ""
    takes: Mapping[str, bool] = field(default_factory=dict)
    fault: Callable[[Stage], str] = lambda _: ""

    def run(self, work: Work) -> dict[str, Any]:
        """Fills the folder of the work, and returns what is worth saying."""
        module, _, function = self.does.partition(".")
        facts: dict[str, Any] = getattr(import_module(f".{module}", __package__), function)(work)
        return facts


def inputs_of(stage: Stage) -> dict[str, str]:
    """What a stage names of others: the stage that it is of, the images that it works on, what it is given."""
    named = {OF: stage.of, DATA: stage.settings.get(DATA), **stage.given}
    return {word: str(other) for word, other in named.items() if other}
