"""`sslgraph check`: wiring, settings, shapes and gradients, before any data is read."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from sslgraph.amounts import counted
from sslgraph.errors import SslgraphError

from .options import Plugins, Sets, out, overrides


def check(
    names: Annotated[
        list[str] | None, typer.Argument(help="Methods or recipes, by name or file; all shipped ones if left out")
    ] = None,
    fast: Annotated[bool, typer.Option("--fast", help="Check only what needs no tensor (under a second)")] = False,
    gradients: Annotated[bool, typer.Option("--gradients", help="Print the gradient map of each")] = False,
    shapes: Annotated[bool, typer.Option("--shapes", help="Print the shape of each value")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Treat the warnings of the linter as errors")] = False,
    plugin: Plugins = [],  # noqa: B006
    set_: Sets = [],  # noqa: B006
) -> None:
    """Check wiring, settings, shapes and gradients. No data is read and no GPU is used."""
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
        failed += bool(strict and any(not finding.reason for finding in found.findings))
        for finding in found.findings:
            out.print(f"{finding}", markup=False)
        for line in found.weights:
            out.print(f"{name}: {line}", markup=False)
        facts = [counted(len(found.graph.training.values), "value"), counted(len(found.gradients.losses), "loss")]
        if found.sized:
            facts.append(counted(sum(map(found.sized.parameters, found.sized.parts)), "parameter"))
        out.print(f"{name}: OK ({', '.join(facts)}; {found.seconds:.2f} s)", markup=False)
        if gradients:
            out.print(f"{found.gradients}\n", markup=False)
        if shapes and found.sized:
            out.print(shape_table(found.sized), markup=False)
    raise typer.Exit(1 if failed else 0)
