"""`sslgraph verify`: the same mathematics on any number of ranks."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import Plugins, Sets, overrides


def verify(
    names: Annotated[
        list[str] | None, typer.Argument(help="methods or recipes, by name or file; all shipped methods if left out")
    ] = None,
    ranks: Annotated[str, typer.Option("--ranks", help="processes that must train alike")] = "1,2,4",
    resume: Annotated[bool, typer.Option("--resume", help="10 + 10 steps are 20")] = False,
    accumulate: Annotated[bool, typer.Option("--accumulate", help="two micro-batches are one batch")] = False,
    float32: Annotated[
        bool, typer.Option("--float32", help="in the floats of training, to 1e-4; else doubles, to 1e-10")
    ] = False,
    batch: Annotated[int, typer.Option("--batch", help="images of the global batch")] = 8,
    plugin: Plugins = [],  # noqa: B006
    set_: Sets = [],  # noqa: B006
) -> None:
    """Show that a method computes the same on any number of ranks: gradients, every state, updates."""
    from sslgraph.read import catalogue

    from ..verify.judge import LIMITS
    from ..verify.verify import Wish, counts
    from ..verify.verify import verify as verdicts

    wish, failed = Wish(counts(ranks), batch, resume, accumulate, not float32), 0
    wanted = names or catalogue.names("methods")
    numbers, limit = ("floats", LIMITS[False]) if float32 else ("doubles", LIMITS[True])
    head = f"{batch} images a step, in {numbers}: differences are relative, and up to {limit:g} they are rounding\n"
    for verdict in verdicts(wanted, wish, plugins=tuple(plugin), overrides=overrides(set_)):
        typer.echo(f"{head}{verdict}")
        head = ""
        failed += not verdict.is_right
    raise typer.Exit(1 if failed else 0)
