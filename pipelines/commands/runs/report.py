"""`sslgraph report`: writes one page about a run, or about several."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..options import Plugins


def report(
    runs: Annotated[list[str], typer.Argument(help="Run folders: one, or several to compare")],
    file: Annotated[
        Path | None, typer.Option("-o", help="Page to write; report.html in the run's folder if left out")
    ] = None,
    data: Annotated[str | None, typer.Option("--data", help="New place of the images, if they moved")] = None,
    images: Annotated[int, typer.Option("--images", help="Largest number of images to encode of each split")] = 2_000,
    plugin: Plugins = [],  # noqa: B006
) -> None:
    """Write one offline HTML page about a run, or several."""
    from sslgraph.files.addresses import is_address

    from ...look.report import write_report
    from ...storage.fetching import visit

    folders = [visit(run) for run in runs]
    if file is None and len(runs) == 1 and is_address(runs[0]):
        file = Path("report.html")
    typer.echo(write_report(folders, file, data=data, most=images, plugins=tuple(plugin), say=typer.echo))
