"""`sslgraph views` and `sslgraph report`: what can be seen of images and of runs. Imports no torch by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Plugins, Sets, overrides


def views(
    name: Annotated[str, typer.Argument(help="a method (at the paper's size) or a recipe, by name or file")],
    data: Annotated[str | None, typer.Option("--data", help="images: a folder, or parquet files")] = None,
    file: Annotated[str, typer.Option("-o", help="the sheet, .png or .html")] = "views.png",
    images: Annotated[int, typer.Option("--images", help="how many")] = 4,
    seed: Annotated[int | None, typer.Option("--seed", help="of the views; the recipe's if left out")] = None,
    epoch: Annotated[int, typer.Option("--epoch", help="whose views are drawn")] = 0,
    plugin: Plugins = [],  # noqa: B006
    set_: Sets = [],  # noqa: B006
) -> None:
    """Real images beside every view that training makes of them, with the numbers drawn for each."""
    from ..look.view_sheet import write_sheet

    sheet = write_sheet(
        name,
        Path(file),
        data=data,
        count=images,
        seed=seed,
        epoch=epoch,
        plugins=tuple(plugin),
        overrides=overrides(set_),
    )
    typer.echo(f"{file}: {sheet.words}")


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
