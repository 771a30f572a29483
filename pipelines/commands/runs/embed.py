"""`sslgraph embed`: writes features of images."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from typer import Option

from ..options import Address, Plugins, Run, Workers, out


class Split(StrEnum):
    """Which images."""

    TRAIN = "train"
    TEST = "test"
    ALL = "all"


def embed(
    run: Run,
    file: Annotated[Path, Option("-o", "--out", help="File to write: .parquet or .safetensors")],
    data: Annotated[
        str | None, Option("--data", help="Images to use instead of the run's own: folder, 'a/*.jpg', list.txt")
    ] = None,
    split: Annotated[Split, Option("--split", help="Which of the images")] = Split.TRAIN,
    patches: Annotated[bool, Option("--patches", help="Add the features of each place of an image")] = False,
    workers: Workers = 1,
    address: Address = None,
    plugin: Plugins = [],
) -> None:
    """Write the encoder's features of images into a file.

    A row for each image: its index, its file, its label (-1 for none), the features. The same command continues
    where it was stopped.
    """
    from sslgraph.files.write_whole import writable

    from ...evaluate.feature_file import embed as write
    from ...launch.spread import workers as shared
    from ...storage.fetching import visited

    writable(file)
    with visited(run) as folder, shared(workers, address) as spread:
        found = write(
            folder, file, data=data, split=str(split), places=patches, plugins=tuple(plugin), spread=spread,
            say=out.print,
        )  # fmt: skip
    out.print(f"{found['images']:,} images, {found['width']} features each: {file}")
