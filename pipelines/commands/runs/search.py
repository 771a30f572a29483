"""`sslgraph search`: tries numbers and structure around a recipe."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from sslgraph.errors import SslgraphError

from ..options import Data, Plugins, Sets, named, numbered, out, overrides


def search(
    name: Annotated[str, named("Method, recipe or file to begin with")],
    space: Annotated[str, Option("--space", help="File that says what is tried, and what is looked for")],
    trials: Annotated[int, Option("--trials", help="Trials beside the recipe itself")] = 20,
    out_: Annotated[str | None, Option("--out", help="Folder; a search there is continued")] = None,
    data: Data = None,
    at_once: Annotated[int, Option("--at-once", help="Trials that run at a time and share GPUs or cores")] = 1,
    searcher: Annotated[
        str | None,
        Option("--searcher", help="Optuna, random or grid (every point) [default: optuna if it is installed]"),
    ] = None,
    seeds: Annotated[
        str | None,
        Option("--seeds", help="Seeds that each trial is trained with, such as 0,1,2: mean and spread"),
    ] = None,
    seed: Annotated[int, Option("--seed", help="Seed of the searcher; that of trainings is the recipe's")] = 0,
    address: Annotated[str | None, Option("--address", help="Address of a running Ray cluster")] = None,
    plugin: Plugins = [],
    set_: Sets = [],
) -> None:
    """Search numbers and structure around a recipe, on Ray Tune.

    Each trial is a recipe: it is checked, trained and measured, and its folder is a run. The same command continues.
    """
    from ...record.display import plain_table
    from ...search.search import Asked, shared_of
    from ...search.search import search as run_trials

    for option, number in (("--trials", trials), ("--at-once", at_once)):
        if number < 1:
            raise SslgraphError(f"{option} {number} would run nothing; ask for 1 or more")

    wanted = tuple(one for one in numbered(seeds, None, None) if one is not None)
    shared = shared_of(
        name, space, out_, data=data, plugins=tuple(plugin), overrides=overrides(set_), seeds=wanted, say=out.print
    )
    found = run_trials(shared, Asked(trials, at_once, seed, searcher, address), out.print)
    from ...search.search_page import REPORT, TABLE, heads, lines

    out.print(plain_table(heads(shared, found), lines(shared, found)))
    for one in found:
        if one.value is None:
            out.print(f"{one.state}: {one.words}: {one.why.splitlines()[0] if one.why else ''}")
    out.print(f"{shared.folder / TABLE}, {shared.folder / REPORT}")
