"""`sslgraph explain`: explains a value of a spec, or a rule of the linter."""

from __future__ import annotations

import re
from typing import Annotated

from typer import Argument

from sslgraph.errors import SslgraphError

from ..options import Plugins, Sets, out, overrides, spec_of


def explain(
    name: Annotated[str, Argument(help="Method or recipe, by name or file, run folder, or rule such as SG101")],
    path: Annotated[str | None, Argument(help="Path of a value, such as losses.info.temperature")] = None,
    plugin: Plugins = [],
    set_: Sets = [],
) -> None:
    """Explain a value of a spec, or a rule of the linter.

    A value is printed with the file and line that it comes from, what it does, and what the method says without the
    recipe.
    """
    from ...look import explained

    if path is None:
        if not re.fullmatch(r"SG\d+", name):
            raise SslgraphError(f"explain {name}: add the path of a value, such as losses.info.temperature")
        out.print(explained.rule(name))
        return
    out.print(explained.value(spec_of(name), path, tuple(plugin), overrides(set_)))
