"""`sslgraph verify`: checks that any number of ranks computes the same."""

from __future__ import annotations

from typing import Annotated

import typer
from typer import Option

from ..options import Plugins, Sets, named, overrides


def verify(
    names: Annotated[
        list[str] | None,
        named("Methods or recipes, by name or file; all shipped methods if left out"),
    ] = None,
    ranks: Annotated[str, Option("--ranks", help="Numbers of processes to compare")] = "1,2,4",
    resume: Annotated[bool, Option("--resume", help="Also check that 10 steps, resumed for 10 more, equal 20")] = False,
    accumulate: Annotated[
        bool, Option("--accumulate", help="Also check that two micro-batches equal one batch")
    ] = False,
    float32: Annotated[
        bool, Option("--float32", help="Compare in float32 (tolerance 1e-4) instead of float64 (1e-10)")
    ] = False,
    batch: Annotated[int, Option("--batch", help="Global batch size")] = 8,
    plugin: Plugins = [],
    set_: Sets = [],
) -> None:
    """Verify that a method trains the same on any number of ranks.

    Gradients, every state and the updates are compared with those of one process.
    """
    from sslgraph.read import catalogue

    from ...verify.judge import LIMITS
    from ...verify.verify import Wish, counts
    from ...verify.verify import verify as verdicts

    wish, failed = Wish(counts(ranks), batch, resume, accumulate, not float32), 0
    wanted = names or catalogue.names("methods")
    numbers, limit = ("float32", LIMITS[False]) if float32 else ("float64", LIMITS[True])
    head = f"Batch of {batch}, {numbers}. Differences are relative; up to {limit:g} they count as rounding.\n"
    for verdict in verdicts(wanted, wish, plugins=tuple(plugin), overrides=overrides(set_)):
        typer.echo(f"{head}{verdict}")
        head = ""
        failed += not verdict.is_right
    raise typer.Exit(1 if failed else 0)
