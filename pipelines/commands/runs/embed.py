"""`sslgraph embed`: features of images."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ..options import Plugins, out


class Split(StrEnum):
    """Which images."""

    TRAIN = "train"
    TEST = "test"


def embed(
    run: Annotated[str, typer.Argument(help="Run folder")],
    file: Annotated[Path, typer.Option("-o", "--out", help="Parquet file to write")],
    data: Annotated[str | None, typer.Option("--data", help="Images to use instead of the run's own dataset")] = None,
    split: Annotated[Split, typer.Option("--split", help="Which of the images")] = Split.TRAIN,
    plugin: Plugins = [],  # noqa: B006
) -> None:
    """Write the encoder's features of images into a file.

    A row for each image: its index, its label (-1 for none), the features.
    """
    from sslgraph.write_whole import writable

    from ...stages.embedding import embed as write

    writable(file)
    found = write(Path(run), file, data=data, split=str(split), plugins=tuple(plugin))
    out.print(f"{found['images']:,} images, {found['width']} features each: {file}", markup=False)
