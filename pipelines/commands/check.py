"""`sslgraph check`: wiring, settings, shapes and gradients, before any data is read."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from sslgraph.errors import SslgraphError

from .options import Plugins, Sets, out, overrides


def check(
    names: Annotated[
        list[str] | None, typer.Argument(help="methods or recipes, by name or file; all shipped ones if left out")
    ] = None,
    fast: Annotated[bool, typer.Option("--fast", help="only what needs no tensor: under a second")] = False,
    gradients: Annotated[bool, typer.Option("--gradients", help="print the gradient map of each")] = False,
    shapes: Annotated[bool, typer.Option("--shapes", help="print the shape of each value")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="warnings of the linter are faults")] = False,
    plugin: Plugins = [],  # noqa: B006
    set_: Sets = [],  # noqa: B006
) -> None:
    """Wiring, settings, shapes and gradients, before any data is read and any GPU is used."""
    from sslgraph.read import catalogue

    from ..check.check import examine
    from ..look.show import shape_table

    given, failed = overrides(set_), 0
    for name in names or [*catalogue.names("methods"), *catalogue.names("recipes")]:
        try:
            found = examine(name, fast=fast, imports=not fast, plugins=tuple(plugin), overrides=given)
        except SslgraphError as fault:
            print(fault, file=sys.stderr)
            failed += 1
            continue
        failed += bool(strict and found.findings)
        for finding in found.findings:
            out.print(f"{finding}", markup=False)
        count = f", {sum(map(found.sized.parameters, found.sized.parts)):,} parameters" if found.sized else ""
        out.print(
            f"{name}: right ({len(found.graph.training.values)} values, {len(found.gradients.losses)} "
            f"{'losses' if len(found.gradients.losses) > 1 else 'loss'}{count}; {found.seconds:.2f} s)",
            markup=False,
        )
        if gradients:
            out.print(f"{found.gradients}\n", markup=False)
        if shapes and found.sized:
            out.print(shape_table(found.sized), markup=False)
    raise typer.Exit(1 if failed else 0)
