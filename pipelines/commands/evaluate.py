"""`sslgraph evaluate`: a finished run measured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Plugins, out


def evaluate(
    run: Annotated[str, typer.Argument(help="a run folder")],
    data: Annotated[str | None, typer.Option("--data", help="other images than those it was trained on")] = None,
    plugin: Plugins = [],  # noqa: B006
) -> None:
    """Nearest neighbours and a linear probe, beside the same for the untrained encoder and for bare pixels."""
    from ..evaluate.evaluate import evaluate as measure
    from ..evaluate.evaluate import table

    out.print(table(measure(Path(run), data=data, plugins=tuple(plugin))))
