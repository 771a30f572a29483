"""`sslgraph report`: writes one page about a run, or about several."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from sslgraph.errors import SslgraphError

from ..options import Plugins, length


def report(
    runs: Annotated[list[str], Argument(help="Run folders: one, or several to compare")],
    file: Annotated[
        Path | None, Option("-o", help="Page to write; report.html in the run's folder if left out")
    ] = None,
    data: Annotated[str | None, Option("--data", help="New place of the images, if they moved")] = None,
    images: Annotated[int, Option("--images", help="Largest number of images to encode of each split")] = 2_000,
    figure: Annotated[
        Path | None, Option("--figure", help="Write a figure for a paper instead: .pdf, .svg or .png")
    ] = None,
    of: Annotated[
        str | None, Option("--of", help="What it shows: a curve (knn, a loss) or a protocol [default: knn]")
    ] = None,
    width: Annotated[str, Option("--width", help="Width of the figure")] = "3.25in",
    plugin: Plugins = [],
) -> None:
    """Write one offline page about runs, or a figure for a paper."""
    from sslgraph.files.addresses import is_address

    from ...storage.fetching import visit

    if figure is not None:
        from ...look.paper_figure import write_figure

        if file is not None:
            raise SslgraphError("-o names a page and --figure a figure; give one of them")
        inches = length(width, "--width")
        folders, say = [visit(run) for run in runs], partial(typer.echo, err=True)
        typer.echo(write_figure(folders, figure, of=of, width=inches, say=say))
        return
    if of is not None:
        raise SslgraphError(f"--of {of} says what a figure shows; name its file with --figure")
    from ...look.report import write_report

    folders = [visit(run) for run in runs]
    if file is None and len(runs) == 1 and is_address(runs[0]):
        file = Path("report.html")
    typer.echo(write_report(folders, file, data=data, most=images, plugins=tuple(plugin), say=typer.echo))
