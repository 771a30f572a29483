"""`sslgraph views`: shows real images beside each of their views."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer import Option

from ..options import Data, Plugins, Sets, named, overrides, spec_of


def views(
    name: Annotated[
        str,
        named("Method (at the paper's size) or recipe, by name or file, or run folder"),
    ],
    data: Data = None,
    file: Annotated[str, Option("-o", help="Sheet to write, .png or .html")] = "views.png",
    images: Annotated[int, Option("--images", help="Number of images")] = 4,
    seed: Annotated[int | None, Option("--seed", min=0, help="Seed of the views; the recipe's if left out")] = None,
    epoch: Annotated[int, Option("--epoch", min=0, help="Epoch whose views are shown")] = 0,
    plugin: Plugins = [],
    set_: Sets = [],
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
