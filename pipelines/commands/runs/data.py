"""`sslgraph data`: shows which images a path has, and writes them for fast reading."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from sslgraph.errors import SslgraphError

from ..options import Sets, out, overrides


def data(
    path: Annotated[str, Argument(help="Folder of images, parquet files or .tar shards; file; s3://...")],
    prepare: Annotated[str | None, Option("--prepare", help="New folder for small copies that load fast")] = None,
    side: Annotated[int, Option("--side", help="Shorter side of the copies, in pixels")] = 256,
    form: Annotated[str, Option("--form", help="Format: jpeg, or raw (eight times the size, no decoding)")] = "jpeg",
    masks: Annotated[
        Path | None, Option("--masks", help="New folder for masks of what moves in videos, as label maps")
    ] = None,
    every: Annotated[float, Option("--every", help="Seconds between two masks", min=0.04)] = 1.0,
    set_: Sets = [],
) -> None:
    """Show the splits, classes and images of a path.

    With --prepare, small copies are written that load faster; with --masks, label maps of what moves in videos.
    """
    from ...feed.inspection import inspect
    from ...feed.preparing import prepare_images

    if masks is not None:
        from ...motion.writing import write

        out.print(f"{write(path, masks, every=every)}: {masks}")
        out.print(f"Next: sslgraph evaluate RUN --segmentation {masks}")
        return
    given = overrides(set_)
    if strange := [name for name in given if not name.startswith("data.")]:
        raise SslgraphError(f"--set {strange[0]}: only settings of the data count here, such as data.label=class_id")
    settings = {name.removeprefix("data."): value for name, value in given.items()}
    if prepare is None:
        out.print(inspect(path, settings))
        return
    for written in prepare_images(path, prepare, side=side, form=form, settings=settings):
        out.print(f"{written}")
    out.print(f"Next: sslgraph train NAME --data {prepare}")
