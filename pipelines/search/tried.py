"""Runs one trial: the base with a point's numbers and changes, checked, trained and measured as a run."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass, field, replace
from math import isfinite
from pathlib import Path
from statistics import mean, stdev
from typing import Any, Literal

from sslgraph.errors import Fault, Place, SpecError, SslgraphError, StorageError
from sslgraph.files import whole_file
from sslgraph.read.document import read_text
from sslgraph.read.load import load_recipe, recipe_of
from sslgraph.read.loaded import method_in
from sslgraph.read.located import written
from sslgraph.read.resolved import flat, resolved
from sslgraph.read.spec import Recipe
from sslgraph.read.validate import validated

from ..check import check
from ..check.request import peaking, request
from ..launch.search_points import Point
from .space import KNN, Space
from .structure import changed

FILE, RECIPE, LOG = "trial.json", "trial.yaml", "trial.log"
BASE = "the base"
LR = "lr"  # the highest learning rate, as --lr sets it; the schedule stays
State = Literal["begun", "done", "refused", "failed"]


@dataclass(frozen=True)
class Outcome:
    """What became of a trial: its difference to the base in words, its value, and what else was measured.

    A refused one is no method, and `why` says what is wrong with it; a failed one ended by an error. Of several seeds
    the value and the figures are means, and `spread` is the standard deviation of the value.
    """

    words: str
    point: Point | None
    state: State
    value: float | None = None
    figures: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    why: str = ""
    spread: float | None = None


@dataclass(frozen=True)
class Shared:
    """What all trials share: the recipe that they change, the space, the folder of their folders, and the seeds.

    A trial's folder is a run; of several `seeds` it holds a run for each.
    """

    recipe: str
    overrides: Mapping[str, Any]
    plugins: tuple[str, ...]
    space: Space
    folder: Path
    own: Mapping[str, Any]  # the base's values of the space's numbers, by path
    seeds: tuple[int, ...] = ()  # none: the recipe's own

    def words(self, point: Point | None) -> str:
        """In what a trial differs from the base."""
        return (self.space.words(point, self.own) if point else "") or BASE

    def place(self, words: str) -> Path:
        """The folder of a trial: two points that are written alike are one trial."""
        return self.folder / ("base" if words == BASE else f"trial-{hashlib.sha256(words.encode()).hexdigest()[:8]}")

    def runs(self, place: Path) -> dict[Path, int | None]:
        """The folders of a trial's runs with their seeds, None for the recipe's own."""
        return {place / f"seed{seed}": seed for seed in self.seeds} or {place: None}

    def text(self, point: Point | None) -> str:
        """The whole recipe of a trial; SslgraphError if it can't be one."""
        given = dict(self.overrides)
        numbers, changes = (self.space.settings(point), self.space.changes(point)) if point else ({}, [])
        numbers |= {path: value for change in changes for path, value in change.get("set", {}).items()}
        for path, value in numbers.items():
            if path == LR:
                given["optimizer.lr"] = peaking(load_recipe(self.recipe, given).spec.optimizer.get("lr"), value)
            else:
                given[path] = value
        spec = load_recipe(self.recipe, given).spec
        text = flat(spec)
        if self.space.objective == KNN:
            text["evaluate"] = {KNN: {}, **text.get("evaluate", {})}
        for change in changes:
            text["method"] = changed(text["method"], change, (*self.plugins, *spec.plugins))
        if point:
            text["recipe"] = f"{spec.recipe}; {self.words(point)}"
        faults = list[Fault]()
        found = validated(Recipe, written(text, Place("trial")), faults)
        if found is None or faults:
            raise SpecError(faults)
        return resolved(found)

    def sound(self, point: Point | None) -> None:
        """Refuses a trial in which something is wrong that can be seen without a tensor."""
        loaded = recipe_of(read_text(self.text(point), Path("trial.yaml")))
        check.sound(method_in(loaded), loaded, self.plugins)


def run(shared: Shared, point: Point | None) -> float | None:
    """The value of a trial; None if it is no method, if it fails, and if it is asked to stop.

    A trial that is done is not done again, and a started one continues from its newest checkpoint.
    """
    words = shared.words(point)
    folder = shared.place(words)
    if (known := outcome(folder)) is not None and known.state != "begun":
        return known.value
    folder.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    whole_file.put_json(folder / FILE, asdict(Outcome(words, point, "begun")))
    with (folder / LOG).open("a", buffering=1) as log, redirect_stdout(log), redirect_stderr(log):
        try:
            found = _trained(shared, point, words, folder)
        except StorageError:
            raise
        except SslgraphError as wrong:
            found = Outcome(words, point, "failed", why=str(wrong))
        except SystemExit:  # it was asked to stop, and has saved itself
            return None
    whole_file.put_json(folder / FILE, asdict(replace(found, seconds=round(time.monotonic() - start, 1))))
    return found.value


def _trained(shared: Shared, point: Point | None, words: str, folder: Path) -> Outcome:
    recipe = folder / RECIPE
    try:
        text = shared.text(point)
        if not recipe.is_file() or recipe.read_text(encoding="utf-8") != text:
            whole_file.put(recipe, text.encode())
        check.examine(str(recipe), plugins=shared.plugins)
    except SslgraphError as wrong:
        return Outcome(words, point, "refused", why=str(wrong))
    found = [_measured(shared, recipe, place, seed) for place, seed in shared.runs(folder).items()]
    figures = {name: mean(each[name] for each in found) for name in found[0] if all(name in each for each in found)}
    name = shared.space.figure if shared.space.protocol is None else shared.space.objective
    if name not in figures:
        return Outcome(words, point, "failed", figures=figures, why=f"{shared.space.objective} was not measured")
    around = stdev(each[name] for each in found) if len(found) > 1 else None
    return Outcome(words, point, "done", figures[name], figures, spread=around)


def _measured(shared: Shared, recipe: Path, folder: Path, seed: int | None) -> dict[str, float]:
    """The figures of one run of a trial."""
    from ..evaluate.evaluate import evaluate  # here, so that a wrong search is refused before torch is imported
    from ..launch.launch import launch

    summary = launch(request(str(recipe), out=str(folder), seed=seed, plugins=shared.plugins))
    figures = {name: value for name, value in summary.get("measures", {}).items() if isinstance(value, float)}
    if (protocol := shared.space.protocol) is not None:
        measured = evaluate(folder, names=[protocol], plugins=shared.plugins).trained[protocol]
        figures |= {f"{protocol}.{name}": value for name, value in measured.items() if value is not None}
    return {name: value for name, value in figures.items() if isfinite(value)}  # what is no number is not measured


def outcome(folder: Path) -> Outcome | None:
    """What a trial's folder says; None if there is no trial in it."""
    try:
        found = json.loads((folder / FILE).read_text(encoding="utf-8"))
        point = None if found["point"] is None else tuple(found["point"])
        return Outcome(**{**found, "point": point})
    except (OSError, ValueError, KeyError, TypeError):
        return None
