"""`sslgraph evaluate`: a finished run measured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Plugins, out


def evaluate(
    run: Annotated[str, typer.Argument(help="Run folder")],
    data: Annotated[str | None, typer.Option("--data", help="Images to use instead of the run's own dataset")] = None,
    plugin: Plugins = [],  # noqa: B006
) -> None:
    """Evaluate a run by nearest neighbours and a linear probe.

    The untrained encoder and the raw pixels are measured on the same images as baselines.
    """
    from ..evaluate.evaluate import MEANINGS, table
    from ..evaluate.evaluate import evaluate as measure

    found = measure(Path(run), data=data, plugins=tuple(plugin))
    out.print(table(found), *found.notes, MEANINGS, sep="\n", markup=False)
