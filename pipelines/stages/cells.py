"""A pipeline's grid: a stage becomes a cell for each choice of its axes, and each cell is a stage like any other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from sslgraph.errors import Fault, SpecError, unknown
from sslgraph.read.loaded import Loaded
from sslgraph.read.spec import Pipeline, Stage

from .kinds.stage_kinds import KINDS
from .kinds.work import DATA, inputs_of

Choices = Mapping[str, str]  # of each axis one


@dataclass(frozen=True)
class Cell:
    """One stage that is done: that of the text, with the changes of these choices.

    `gathered` has, for a stage that gathers, the name under `given:` and the choices behind each of its inputs.
    """

    base: str
    stage: Stage
    choices: Choices
    gathered: Mapping[str, tuple[str, Choices]] = field(default_factory=dict)


def cells(loaded: Loaded[Pipeline]) -> dict[str, Cell]:
    """The cells of all stages by their names, in the order in which they can run; SpecError if two have one name."""
    pipeline = loaded.spec
    axes: dict[str, list[str]] = {}
    found: dict[str, Cell] = {}
    for name, stage in pipeline.stages.items():
        before = [] if KINDS[stage.do].gathers else [other for other in inputs_of(stage).values() if other in axes]
        mine = {*stage.over, *(axis for other in before for axis in axes[other])}
        axes[name] = [axis for axis in pipeline.grid if axis in mine]
        for choices in _choices(pipeline, axes[name]):
            cell = _cell(pipeline, name, choices, found, axes)
            key = named(name, choices)
            if key in found:
                problem = f"two cells of the grid are called '{key}'; let their choices differ in letters or digits"
                raise SpecError([Fault(("stages", name), problem).placed(loaded.place)])
            found[key] = cell
    return found


def named(stage: str, choices: Choices) -> str:
    """The name of a cell, which is also the beginning of its folder's."""
    return "-".join([stage, *(re.sub(r"[^\w.+]+", "_", choice) for choice in choices.values())])


def narrowed(loaded: Loaded[Pipeline], changes: Mapping[str, Any]) -> Loaded[Pipeline]:
    """The pipeline with these choices of its axes: values of a list, or some of the names; SpecError for others."""
    grid = dict(loaded.spec.grid)
    for axis, wanted in changes.items():
        if axis not in grid:
            raise SpecError([unknown((), f"--set grid.{axis}: the grid has no axis", axis, grid)])
        values = wanted if isinstance(wanted, list) else [wanted]
        there = _changes(loaded.spec, axis)
        strange = [str(value) for value in values if isinstance(grid[axis], dict) and str(value) not in there]
        if strange or not values:
            raise SpecError([unknown((), f"--set grid.{axis}: the axis has no choice", "".join(strange[:1]), there)])
        is_list = isinstance(grid[axis], list)
        grid[axis] = list(values) if is_list else {str(value): there[str(value)] for value in values}
    return replace(loaded, spec=loaded.spec.model_copy(update={"grid": grid}))


def refused(loaded: Loaded[Pipeline]) -> Iterator[Fault]:
    """What is wrong with the grid and with the axes that stages name."""
    grid = loaded.spec.grid
    for name, stage in loaded.spec.stages.items():
        for axis in stage.over:
            if axis not in grid:
                yield unknown(("stages", name, "over"), f"stage '{name}': the grid has no axis", axis, grid)
    used = {axis for stage in loaded.spec.stages.values() for axis in stage.over}
    for axis in grid:
        if axis not in used:
            yield Fault(("grid", axis), f"no stage is done over the axis '{axis}'; name it under over: of a stage")


def _changes(pipeline: Pipeline, axis: str) -> dict[str, dict[str, Any]]:
    """What each choice of an axis changes, by its name."""
    written = pipeline.grid[axis]
    if isinstance(written, list):
        return {str(value): {axis: value} for value in written}
    return {str(choice): dict(changes) for choice, changes in written.items()}


def _choices(pipeline: Pipeline, axes: list[str]) -> Iterator[dict[str, str]]:
    for some in product(*(_changes(pipeline, axis) for axis in axes)):
        yield dict(zip(axes, some, strict=True))


def _cell(
    pipeline: Pipeline, name: str, choices: dict[str, str], found: Mapping[str, Cell], axes: Mapping[str, list[str]]
) -> Cell:
    stage = pipeline.stages[name]
    kind = KINDS[stage.do]
    if kind.gathers:
        gathered = {
            key: (word, cell.choices)
            for word, other in stage.given.items()
            for key, cell in found.items()
            if cell.base == other and all(cell.choices.get(axis, mine) == mine for axis, mine in choices.items())
        }
        return Cell(name, stage.model_copy(update={"given": {key: key for key in gathered}}), choices, gathered)

    def cell_of(other: str) -> str:
        return named(other, {axis: choices[axis] for axis in axes[other]}) if other in axes else other

    own: dict[str, Any] = {}
    paths: dict[str, Any] = {}
    for axis in stage.over:
        for key, value in _changes(pipeline, axis)[choices[axis]].items():
            (own if key == "recipe" or (key in kind.settings and key != "set") else paths)[key] = value
    settings = {**stage.settings, **{key: value for key, value in own.items() if key != "recipe"}}
    if isinstance(images := settings.get(DATA), str) and images != name:
        settings[DATA] = cell_of(images)
    if paths:
        settings["set"] = {**settings.get("set", {}), **paths}
    changed = {
        "recipe": own.get("recipe", stage.recipe),
        "of": cell_of(stage.of) if stage.of else None,
        "given": {word: cell_of(other) for word, other in stage.given.items()},
        "settings": settings,
    }
    return Cell(name, stage.model_copy(update=changed), choices)
