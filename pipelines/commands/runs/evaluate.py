"""`sslgraph evaluate`: a finished run measured."""

from __future__ import annotations

from typing import Annotated

import typer

from ..options import Plugins, out


def evaluate(
    run: Annotated[str, typer.Argument(help="Run folder, or address such as s3://bucket/run")],
    data: Annotated[str | None, typer.Option("--data", help="Images to use instead of the run's own dataset")] = None,
    plugin: Plugins = [],  # noqa: B006
) -> None:
    """Evaluate a run by nearest neighbours and a linear probe.

    The untrained encoder and the raw pixels are measured on the same images as baselines.
    """
    from ...evaluate.evaluate import MEANINGS, table
    from ...evaluate.evaluate import evaluate as measure
    from ...storage.fetching import visited

    with visited(run) as folder:
        found = measure(folder, data=data, plugins=tuple(plugin))
    out.print(table(found), *found.notes, MEANINGS, sep="\n", markup=False)
