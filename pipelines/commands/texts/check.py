"""`sslgraph check`: checks wiring, settings, shapes and gradients before any data is read."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from typer import Option

from sslgraph.amounts import counted
from sslgraph.errors import SslgraphError

from ..options import Plugins, Sets, named, out, overrides


def check(
    names: Annotated[
        list[str] | None,
        named("Methods, recipes or pipelines, by name or file; all shipped ones if left out"),
    ] = None,
    fast: Annotated[bool, Option("--fast", help="Check only what needs no tensor (under a second)")] = False,
    gradients: Annotated[bool, Option("--gradients", help="Print the gradient map of each")] = False,
    shapes: Annotated[bool, Option("--shapes", help="Print the shape of each value")] = False,
    strict: Annotated[bool, Option("--strict", help="Treat the warnings of the linter as errors")] = False,
    plugin: Plugins = [],
    set_: Sets = [],
) -> None:
    """Check wiring, settings, shapes and gradients. No data is read and no GPU is used."""
    from sslgraph.read import catalogue
    from sslgraph.read.load import is_pipeline

    from ...check.check import examine
    from ...look.show import shape_table

    if fast and shapes:
        raise SslgraphError("--fast stops before shapes are known; leave --fast or --shapes out")
    given, failed = overrides(set_), 0
    shipped = [*catalogue.names("methods"), *catalogue.names("recipes")]
    for name in names or [*shipped, *(f"pipelines/{name}" for name in catalogue.names("pipelines"))]:
        try:
            if is_pipeline(name):
                failed += _doubts(name, given, tuple(plugin), strict=strict)
                continue
            found = examine(name, fast=fast, imports=not fast, plugins=tuple(plugin), overrides=given)
        except SslgraphError as fault:
            print(fault, file=sys.stderr)
            failed += 1
            continue
        doubts = sum(not finding.reason for finding in found.findings) if strict else 0
        failed += bool(doubts)
        for finding in found.findings:
            out.print(f"{finding}")
        for line in found.weights:
            out.print(f"{name}: {line}")
        facts = [counted(len(found.graph.training.values), "value"), counted(len(found.gradients.losses), "loss")]
        if found.sized:
            facts.append(counted(sum(map(found.sized.parameters, found.sized.parts)), "parameter"))
        verdict = f"not OK with --strict, {counted(doubts, 'warning')}" if doubts else "OK"
        out.print(f"{name}: {verdict} ({', '.join(facts)}; {found.seconds:.2f} s)")
        if gradients:
            out.print(f"{found.gradients}\n")
        if shapes and found.sized:
            out.print(shape_table(found.sized))
    raise typer.Exit(1 if failed else 0)


def _doubts(name: str, changes: dict[str, Any], plugins: tuple[str, ...], *, strict: bool) -> int:
    """Prints what is said of each stage of a pipeline; how many warnings count as errors."""
    from ...stages.checking import checked
    from ...stages.stage_plan import plan

    doubts = 0
    for line, found in checked(plan(name, changes=changes, plugins=plugins), plugins):
        for finding in found.findings if found else ():
            out.print(f"{finding}")
            doubts += bool(strict and not finding.reason)
        out.print(f"{name}: {line}")
    return doubts
