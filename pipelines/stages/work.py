"""What a kind of stage is: the settings that it takes, whether it trains, and what it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sslgraph.read.loaded import Loaded
from sslgraph.read.spec import Recipe, Stage


@dataclass(frozen=True)
class Work:
    """One stage that is to be done: its text, the folder that it fills, and the artefacts that it is given.

    `inputs` has the folder of each input, "of" or the name under `given:`. `request` is that of the training.
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


@dataclass(frozen=True)
class StageKind:
    """`run` fills the folder and returns what is worth saying; `settings` are its own, each as an annotation."""

    run: Callable[[Work], dict[str, Any]]
    settings: Mapping[str, str]
    trains: bool = False  # it has a recipe; the others have `of:`, an earlier training
    gathers: bool = False  # it has `given:` instead, and takes all cells of these stages
    of_labels: tuple[str, ...] = ()
