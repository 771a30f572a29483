"""Runs a search: the base and its trials, several at a time; a stopped search continues."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from sslgraph.amounts import counted
from sslgraph.errors import SslgraphError
from sslgraph.files import whole_file, write_whole
from sslgraph.read.load import load_recipe
from sslgraph.read.loaded import Loaded, method_in
from sslgraph.read.resolved import flat
from sslgraph.read.spec import Recipe

from ..check import check
from ..check.request import request
from ..launch.search_points import LISTED, points
from ..storage import interrupt
from .space import KNN, Space, load_space, refuse_unfit
from .tried import FILE, Outcome, Shared, outcome, run

GRID = "grid"
ABOUT = "search.json"  # what the trials of a folder are made from


@dataclass(frozen=True)
class Asked:
    """What a command line asks for beside the recipe and the space."""

    trials: int
    at_once: int = 1
    seed: int = 0
    searcher: str | None = None
    address: str | None = None


def shared_of(
    name: str, file: str, out: str | None = None, *, data: str | None = None, plugins: tuple[str, ...] = (),
    overrides: Mapping[str, Any] | None = None, seeds: tuple[int, ...] = (), say: Callable[[str], object] = print,
) -> Shared:  # fmt: skip
    """The search of a space around a recipe, with everything refused that can be seen before a trial runs."""
    space = load_space(file)
    asked = request(name, data=data, plugins=plugins, overrides=overrides, say=say)
    loaded = load_recipe(asked["recipe"], asked["overrides"])
    allowed = check.allowed_in(loaded, plugins)
    check.sound(method_in(loaded), loaded, plugins)  # a method's bare name means its recipe, as in train
    check.sized_recipe(loaded, allowed)
    if space.objective == KNN:
        from ..feed.open_source import unlabelled

        if (split := unlabelled(loaded.spec.data, allowed)) is not None:
            raise SslgraphError(
                f"the search looks for the best {KNN}, which compares labels, and the {split} images have none; "
                "write maximize: health.rankme, or another measure that needs none"
            )
    recipe = str(Path(asked["recipe"]).resolve()) if asked["recipe"].endswith((".yaml", ".yml")) else asked["recipe"]
    folder = Path(out or Path("runs", f"search-{Path(file).stem}")).resolve()
    shared = Shared(recipe, asked["overrides"], allowed, space, folder, _values(loaded, space), seeds)
    refuse_unfit(space, shared.sound, shared.text)
    return shared


def _values(loaded: Loaded[Recipe], space: Space) -> dict[str, Any]:
    """What the base itself says where the space's numbers are, by path; a path with a star has no one value."""
    whole, found = flat(loaded.spec), {}
    for number in space.numbers:
        value: Any = whole
        steps = number.path.removeprefix("method.").split(".")
        if steps[0] not in Recipe.model_fields or steps[0] == "method":
            value = whole["method"]
        for step in steps:
            value = value.get(step) if isinstance(value, dict) else None
        if value is not None:
            found[number.path] = value
    return found


def search(shared: Shared, asked: Asked, say: Callable[[str], object]) -> list[Outcome]:
    """Runs those of the trials that are not done yet, and writes what all of them found; see search_page."""
    from ..launch import search_on_ray
    from . import search_page

    if asked.searcher == GRID:
        asked = replace(asked, trials=_all(shared.space), searcher="random")  # all of them, in an order of the seed
    searcher, wanted = search_on_ray.chosen(asked.searcher), int(min(asked.trials, points(shared.space.axes)))
    with write_whole.told(shared.folder, "--out"):
        shared.folder.mkdir(parents=True, exist_ok=True)
        _refuse_another(shared)
    there = outcomes(shared)
    before = [found for found in there if found.state != "begun"]
    begun = tuple(found.point for found in there if found.state == "begun" and found.point is not None)
    known = {found.point: found.value for found in before if found.point is not None}
    if wanted < asked.trials:
        say(f"the space has {counted(wanted, 'point')}: that many trials run")
    done = f"; {counted(len(known), 'trial')} done before" if known else ""
    say(f"{shared.space.title}: {counted(wanted, 'trial')} and the base, {searcher}{done}; {shared.folder}")
    wish = search_on_ray.Wish(
        axes=shared.space.axes, trials=wanted, is_minimized=shared.space.is_minimized, at_once=asked.at_once,
        seed=asked.seed, searcher=searcher, address=asked.address, known=known, begun=begun,
        base=not any(found.point is None for found in before),
    )  # fmt: skip
    try:
        if wish.base or len(known) < wanted:
            search_on_ray.search(partial(run, shared), wish, ask=partial(_stop, shared))
    finally:
        found = [one for one in outcomes(shared) if one.state != "begun"]
        if found:
            search_page.write(shared, found)
    return found


def _all(space: Space) -> int:
    """How many points a space has; SslgraphError where they are too many to try each, or not to be counted."""
    count = points(space.axes)
    if count <= LISTED:
        return int(count)
    endless = [number.path for number in space.numbers if not number.choices and number.axis.scale != "whole"]
    why = f"'{endless[0]}' lies between two numbers" if endless else f"the space has {count:,.0f} points"
    raise SslgraphError(f"--searcher {GRID} tries every point, and {why}; write lists of values, or leave it out")


def outcomes(shared: Shared) -> list[Outcome]:
    """Those of all trials of the folder, in the order in which they were finished."""
    folders = sorted(shared.folder.glob(f"*/{FILE}"), key=lambda file: file.stat().st_mtime_ns)
    return [found for file in folders if (found := outcome(file.parent)) is not None]


def _refuse_another(shared: Shared) -> None:
    """Refuses a folder with trials of another base or another space; a number of trials may grow."""
    mine: dict[str, Any] = {"base": shared.text(None), "space": dict(shared.space.text)}
    mine |= {"list of seeds": [*shared.seeds]} if shared.seeds else {}
    file = shared.folder / ABOUT
    if file.is_file():
        theirs = json.loads(file.read_text(encoding="utf-8"))
        differing = [name for name in {**mine, **theirs} if theirs.get(name) != json.loads(json.dumps(mine.get(name)))]
        if differing:
            raise SslgraphError(
                f"{shared.folder} holds a search of another {' and '.join(differing)}; give another place with --out"
            )
    elif any(shared.folder.iterdir()):
        raise SslgraphError(f"{shared.folder} is not empty and holds no search; give another place with --out")
    else:
        whole_file.put_json(file, mine)


def _stop(shared: Shared) -> None:
    """Asks the trials that run to save themselves and to end."""
    from ..train import summary

    for found in outcomes(shared):
        if found.state == "begun":
            for run in shared.runs(shared.place(found.words)):
                if run.is_dir() and summary.read(run) is None:  # a seed that has not begun has no folder yet
                    interrupt.ask(run)
