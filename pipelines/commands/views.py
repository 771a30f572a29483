"""`sslgraph views`: real images beside every view of them."""

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
