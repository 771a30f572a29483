"""`sslgraph data`: what images lie at a path, and writing them for fast reading."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import out


def data(
    path: Annotated[str, typer.Argument(help="a folder of images, of parquet files or of .tar shards, or an address")],
    prepare: Annotated[str | None, typer.Option("--prepare", help="write them here, small, for fast reading")] = None,
    side: Annotated[int, typer.Option("--side", help="of the shorter side of what is written, pixels")] = 256,
    form: Annotated[str, typer.Option("--form", help="jpeg, or raw: eight times the room, no decoding")] = "jpeg",
) -> None:
    """What images lie at a path and how fast they are read here; --prepare writes them for fast reading."""
    from ..feed.preparing import inspect, prepare_images

    if prepare is None:
        out.print(inspect(path), markup=False)
        return
    for written in prepare_images(path, prepare, side=side, form=form):
        out.print(f"{written}", markup=False)
    out.print(f"train on them: sslgraph train NAME --data {prepare}", markup=False)
