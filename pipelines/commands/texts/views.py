"""`sslgraph views`: shows real images beside each of their views."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..options import Plugins, Sets, overrides, spec_names, spec_of


def views(
    name: Annotated[
        str,
        typer.Argument(
            autocompletion=spec_names, help="Method (at the paper's size) or recipe, by name or file, or run folder"
        ),
    ],
    data: Annotated[str | None, typer.Option("--data", help="Images: a folder, parquet files, .tar shards")] = None,
    file: Annotated[str, typer.Option("-o", help="Sheet to write, .png or .html")] = "views.png",
    images: Annotated[int, typer.Option("--images", help="Number of images")] = 4,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Seed of the views; the recipe's if left out")
    ] = None,
    epoch: Annotated[int, typer.Option("--epoch", min=0, help="Epoch whose views are shown")] = 0,
    plugin: Plugins = [],  # noqa: B006
    set_: Sets = [],  # noqa: B006
) -> None:
    """Show real images beside every view training makes of them.

    The random parameters of each view are written below it.
    """
    from ...look.view_sheet import write_sheet

    sheet = write_sheet(
        spec_of(name),
        Path(file),
        data=data,
        count=images,
        seed=seed,
        epoch=epoch,
        plugins=tuple(plugin),
        overrides=overrides(set_),
    )
    typer.echo(f"{file}: {sheet.words}")
