"""`sslgraph neighbours`: finds images that an encoder considers similar."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from sslgraph.errors import SslgraphError

from ..options import Plugins, Run, out


def neighbours(
    run: Run,
    data: Annotated[str, Option("--data", help="Images to search: a folder, parquet files, .tar shards")],
    of: Annotated[list[str], Option("--of", help="Image to ask about (several times for several)")] = [],
    count: Annotated[int, Option("--count", min=1, help="Number of neighbours of each image")] = 6,
    above: Annotated[
        float, Option("--above", min=0, max=1, help="Cosine from which two images are near-duplicates")
    ] = 0.98,
    file: Annotated[Path | None, Option("-o", "--out", help="Picture to write, .png")] = None,
    plugin: Plugins = [],
) -> None:
    """Find the images nearest to one, or near-duplicates.

    Without --of, groups of near-duplicates among all images of --data are printed.
    """
    from sslgraph.files.write_whole import writable

    from ...look.alike import Eye, duplicates, words, write_picture
    from ...storage.fetching import visit

    if file is not None:
        if file.suffix.lower() != ".png":
            raise SslgraphError(f"-o {file}: the picture is a PNG; end its name in .png")
        writable(file)
    eye = Eye(visit(run), tuple(plugin))
    bank = eye.bank(data)
    rows = [eye.nearest(bank, image, count) for image in of] if of else list(duplicates(bank, above))
    for row in rows:
        out.print(words(row))
    if not rows:
        out.print(f"no two of {len(bank.images):,} images are nearer than {above:g}")
    elif file is not None:
        write_picture(rows, file)
        out.print(f"drawn: {file}")
