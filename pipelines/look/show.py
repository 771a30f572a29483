"""Prints a method for a reader: its spec, its program, its shapes, its gradient map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sslgraph.read import catalogue

if TYPE_CHECKING:
    from sslgraph.settle.sized import SizedGraph


def methods() -> str:
    """Every method on a line, with the data sets for which it has a recipe of its own."""
    found, own, datasets = catalogue.entries("methods"), catalogue.with_files("recipes"), catalogue.datasets()
    width = max(len(entry.name) for entry in found)
    lines = []
    for entry in found:
        recipes = ", ".join(data for data in datasets if f"{data}/{entry.name}" in own)
        lines.append(f"{entry.name:<{width}}  {entry.line}{f'  [{recipes}]' if recipes else ''}")
    note = "In brackets: the data sets for which a method has a recipe of its own."
    others = [name for name in own if "/" in name and name.partition("/")[0] not in datasets]
    more = f"\nOther recipes: {', '.join(others)}." if others else ""
    more += f"\nPipelines: {', '.join(catalogue.names('pipelines'))}; sslgraph run NAME."
    return "\n".join([*lines, "", f"{note} Every method trains on each of {', '.join(datasets)}.{more}"])


def page(name: str, plugins: tuple[str, ...], overrides: dict[str, Any]) -> str:
    """The spec as it is in its file, and the gradient map below it."""
    from ..check.check import examine, method_file

    found = examine(name, fast=True, plugins=plugins, overrides=overrides)
    file = method_file(name)
    is_shared = not catalogue.is_file(name) and file.stem == "base"
    note = f"# {name} has no file of its own: it is this base with method: {name.rpartition('/')[2]}\n"
    return f"{note if is_shared else ''}{file.read_text(encoding='utf-8').rstrip()}\n\n{found.gradients}"


def code(name: str, plugins: tuple[str, ...], overrides: dict[str, Any]) -> str:
    """The compiled program of every leg."""
    from sslgraph.compile.program import code as programs

    from ..check.check import examine

    found = examine(name, plugins=plugins, overrides=overrides)
    assert found.sized is not None
    return programs(found.sized)


def gradients(name: str, plugins: tuple[str, ...], overrides: dict[str, Any]) -> str:
    """Parameter groups against losses: gradient, EMA, frozen."""
    from ..check.check import examine

    return str(examine(name, fast=True, plugins=plugins, overrides=overrides).gradients)


def resolved_text(name: str, overrides: dict[str, Any]) -> str:
    """The whole text of a method or a recipe, with extends, references and overrides carried out."""
    from sslgraph.read.resolved import resolved

    from ..check.check import load

    method, recipe = load(name, overrides)
    return resolved(recipe.spec if recipe else method.spec).rstrip()


def shape_table(sized: SizedGraph) -> str:
    """Each value with its shape at the checked batch, leg by leg."""
    lines = []
    for leg in sized.legs:
        for value in leg.leg.values:
            shapes = ", ".join("x".join(map(str, shape)) or "scalar" for shape in leg.shapes(value))
            lines.append(f"  {value:<28} {shapes}")
    return "\n".join(lines)
