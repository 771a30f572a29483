"""`sslgraph evaluate`: a finished run measured."""

from __future__ import annotations

from typing import Annotated

import typer

from ..options import Plugins, out


def evaluate(
    run: Annotated[str, typer.Argument(help="Run folder, or address such as s3://bucket/run")],
    data: Annotated[str | None, typer.Option("--data", help="Images to use instead of the run's own dataset")] = None,
    segmentation: Annotated[
        str | None,
        typer.Option("--segmentation", help="Folder of images with label maps: mIoU on frozen features"),
    ] = None,
    ignore: Annotated[
        list[int] | None,
        typer.Option("--ignore", help="Number in label maps that means no label [default: 255]"),
    ] = None,
    size: Annotated[int | None, typer.Option("--size", help="Side of the images for segmentation, in pixels")] = None,
    plugin: Plugins = [],  # noqa: B006
) -> None:
    """Evaluate a run by nearest neighbours and a linear probe.

    The untrained encoder and the raw pixels are measured on the same images as baselines.
    """
    from ...evaluate.evaluate import MEANINGS, table
    from ...evaluate.evaluate import evaluate as measure
    from ...evaluate.labelled_places import MEANINGS as OF_PLACES
    from ...evaluate.labelled_places import table as of_places
    from ...storage.fetching import visited

    given = {"path": segmentation, "ignore": ignore, "size": size}
    asked = {name: value for name, value in given.items() if value is not None}
    with visited(run) as folder:
        found = measure(folder, data=data, segmentation=asked, plugins=tuple(plugin))
    out.print(table(found), *found.notes, MEANINGS, sep="\n", markup=False)
    if found.segmentation is not None:
        out.print("", of_places(found.segmentation, found.begun), OF_PLACES, sep="\n", markup=False)
