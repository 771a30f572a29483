"""`sslgraph report`: one page about a run, or about several."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Plugins


def report(
    runs: Annotated[list[Path], typer.Argument(help="run folders: one, or several to compare")],
    file: Annotated[
        Path | None, typer.Option("-o", help="the page; report.html in the run's folder if left out")
    ] = None,
    data: Annotated[str | None, typer.Option("--data", help="where the images are now, if they moved")] = None,
    images: Annotated[int, typer.Option("--images", help="most images of a split that are encoded")] = 2_000,
    plugin: Plugins = [],  # noqa: B006
) -> None:
    """One page about a run, or about several beside each other, that works offline."""
    from ..look.report import write_report

    typer.echo(write_report(runs, file, data=data, most=images, plugins=tuple(plugin)))
