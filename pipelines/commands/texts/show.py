"""`sslgraph show`: prints a method or a part as text."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from ..options import Plugins, Sets, named, out, overrides, spec_of


def show(
    name: Annotated[str, named("Method or recipe, by name or file, run folder, or part")],
    code: Annotated[bool, Option("--code", help="Print the compiled training step as Python")] = False,
    resolved: Annotated[
        bool, Option("--resolved", help="Print the whole text, with extends and references resolved")
    ] = False,
    gradients: Annotated[bool, Option("--gradients", help="Print which loss reaches which parameters")] = False,
    plugin: Plugins = [],
    set_: Sets = [],
) -> None:
    """Show a method or a part as text.

    A method is shown as its spec, its program and its gradient map; a part by its settings, inputs and outputs.
    """
    from ...look import parts
    from ...look import show as pages

    name = spec_of(name)
    if parts.is_part(name):
        out.print(parts.page(name, tuple(plugin)))
        return
    given = overrides(set_)
    if code:
        out.print(pages.code(name, tuple(plugin), given))
    if gradients:
        out.print(pages.gradients(name, tuple(plugin), given))
    if resolved:
        out.print(pages.resolved_text(name, given))
    if not (code or gradients or resolved):
        out.print(pages.page(name, tuple(plugin), given))
