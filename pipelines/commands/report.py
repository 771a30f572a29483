"""`sslgraph report`: one page about a run, or about several."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Plugins


def report(
    runs: Annotated[list[Path], typer.Argument(help="Run folders: one, or several to compare")],
    file: Annotated[
        Path | None, typer.Option("-o", help="Page to write; report.html in the run's folder if left out")
    ] = None,
    data: Annotated[str | None, typer.Option("--data", help="New place of the images, if they moved")] = None,
    images: Annotated[int, typer.Option("--images", help="Largest number of images to encode of each split")] = 2_000,
    plugin: Plugins = [],  # noqa: B006
) -> None:
    """Write one offline HTML page about a run, or several."""
    from ..look.report import write_report

    typer.echo(write_report(runs, file, data=data, most=images, plugins=tuple(plugin)))
