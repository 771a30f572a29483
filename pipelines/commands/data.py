"""`sslgraph data`: what images lie at a path, and writing them for fast reading."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import out


def data(
    path: Annotated[str, typer.Argument(help="Folder of images, of parquet files or of .tar shards, or address")],
    prepare: Annotated[str | None, typer.Option("--prepare", help="New folder for small copies that load fast")] = None,
    side: Annotated[int, typer.Option("--side", help="Shorter side of the copies, in pixels")] = 256,
    form: Annotated[
        str, typer.Option("--form", help="Format: jpeg, or raw (eight times the size, no decoding)")
    ] = "jpeg",
) -> None:
    """Show which images a path holds and how fast they load.

    With --prepare, small copies are written that load faster.
    """
    from ..feed.preparing import inspect, prepare_images

    if prepare is None:
        out.print(inspect(path), markup=False)
        return
    for written in prepare_images(path, prepare, side=side, form=form):
        out.print(f"{written}", markup=False)
    out.print(f"Next: sslgraph train NAME --data {prepare}", markup=False)
