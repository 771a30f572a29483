"""`sslgraph evaluate`: measures finished runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from ..options import Address, Plugins, Workers, out, overrides


def evaluate(
    runs: Annotated[list[str], Argument(help="Run folders, or addresses such as s3://bucket/run")],
    protocol: Annotated[
        list[str],
        Option(
            "--protocol",
            help="Protocol: knn20 (any k), linear, labels_1, kmeans, health, linear_moco, fine_tune_mae, ...",
        ),
    ] = [],
    data: Annotated[str | None, Option("--data", "--on", help="Images to use instead of the run's own dataset")] = None,
    segmentation: Annotated[
        str | None, Option("--segmentation", help="Folder of images with label maps: mIoU on frozen features")
    ] = None,
    ignore: Annotated[
        list[int] | None, Option("--ignore", help="Number in label maps that means no label [default: 255]")
    ] = None,
    size: Annotated[int | None, Option("--size", min=1, help="Side of the images for segmentation, in pixels")] = None,
    supervised: Annotated[
        bool, Option("--supervised", help="Train the same net on the images' labels, and measure it beside")
    ] = False,
    supervised_weights: Annotated[
        str | None, Option("--supervised-weights", help="File with weights of such a net, or timm:NAME")
    ] = None,
    output: Annotated[
        Path | None,
        Option("--output", "-o", help="File for the table of all runs, with mean and spread: .csv, .md or .tex"),
    ] = None,
    workers: Workers = 1,
    address: Address = None,
    plugin: Plugins = [],
    set_: Annotated[
        list[str], Option("--set", help="Value of a protocol that is a recipe to change, such as epochs=10")
    ] = [],
) -> None:
    """Evaluate runs by named protocols, such as knn20 and linear.

    The untrained encoder and the raw pixels are measured on the same images as baselines. Without --protocol these are
    nearest neighbours, linear and health. Several runs that differ in their seed alone are one row of the last table,
    with mean and spread; with three seeds or more, what differs from the first row is tested.
    """
    from ...evaluate import by_recipe, paper_table, several
    from ...evaluate.evaluate import evaluate as measure
    from ...evaluate.evaluation import Evaluation, settings, table
    from ...evaluate.labelled_places import MEANINGS as OF_PLACES
    from ...evaluate.labelled_places import table as of_places
    from ...evaluate.restored import newest
    from ...launch.spread import workers as shared
    from ...storage.fetching import visit, visited

    if output is not None:
        paper_table.refuse(output)
    overrides(set_)  # refuses what is no path and value
    protocol = by_recipe.changed(protocol, set_)
    given = {"path": segmentation, "ignore": ignore, "size": size}
    asked = {name: value for name, value in given.items() if value is not None}
    if len(runs) > 1:  # what is no run is refused before any is measured
        several.refuse_twice(runs, [newest(visit(run)) for run in runs])
    folders, measured = list[Path](), list[Evaluation]()
    for run in runs:
        with visited(run) as folder, shared(workers, address) as spread:
            found = measure(
                folder, names=protocol, data=data, segmentation=asked, plugins=tuple(plugin),
                spread=spread if workers > 1 or address else None, with_labels=supervised, weights=supervised_weights,
            )  # fmt: skip
        folders, measured = [*folders, folder], [*measured, found]
        title = [f"{run}:"] if len(runs) > 1 else []
        out.print(*title, table(found), *found.notes, sep="\n")
        if found.segmentation is not None:
            out.print("", of_places(found.segmentation, found.begun), OF_PLACES, sep="\n")
    out.print(*settings(measured), sep="\n")
    groups = several.grouped(folders, measured) if len(runs) > 1 or output is not None else []
    if len(runs) > 1:
        words = (*several.differences(groups), *several.paired(groups), several.SPREAD)
        out.print("", several.table(groups), *words, sep="\n")
    if output is not None:
        paper_table.write(output, groups)
        out.print(f"written: {output}")
