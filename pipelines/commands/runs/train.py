"""`sslgraph train`: one process, or several through Ray Train."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from ..options import ChangedData, FromScratch, Plugins, Sets, out, overrides


def train(
    name: Annotated[
        str | None,
        typer.Argument(help="Method (its demo recipe), recipe as FOLDER/METHOD, or file; not with --resume"),
    ] = None,
    data: Annotated[str | None, typer.Option("--data", help="Images: a folder, parquet, .tar shards; s3://...")] = None,
    out_: Annotated[
        str | None, typer.Option("--out", help="Run folder, or s3://...; an existing run there is continued")
    ] = None,
    resume: Annotated[str | None, typer.Option("--resume", help="Run to continue with its own settings")] = None,
    epochs: Annotated[
        int | None, typer.Option("--epochs", help="Epochs; with --resume, of a new run that begins with its weights")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Seed for weights, data order and views")] = None,
    workers: Annotated[int, typer.Option("--workers", help="Number of processes; several run through Ray Train")] = 1,
    address: Annotated[str | None, typer.Option("--address", help="Address of a running Ray cluster")] = None,
    profile: Annotated[bool, typer.Option("--profile", help="Measure where the time of a step goes")] = False,
    from_scratch: FromScratch = False,
    changed_data: ChangedData = False,
    plugin: Plugins = [],  # noqa: B006
    set_: Sets = [],  # noqa: B006
) -> None:
    """Train a method. It runs in this process; with --workers N, through Ray Train."""
    from sslgraph.addresses import is_address

    from ...check.request import request
    from ...launch.launch import launch
    from ...storage import fetching
    from ...train import ending

    if name is None and resume is None:
        raise typer.BadParameter("name a method, a recipe or a file (see sslgraph list), or a run with --resume")
    cfg = request(
        name or "", data=data, out=out_, resume=resume, seed=seed, epochs=epochs, plugins=tuple(plugin),
        overrides=overrides(set_),
    )  # fmt: skip
    cfg |= {"profile": profile, "from_scratch": from_scratch, "changed_data": changed_data}
    start = time.monotonic()
    summary = launch(cfg, workers=workers, address=address)
    place, *_ = str(summary["checkpoint"]).rpartition("/checkpoints/")
    folder = fetching.folder_of(place) if is_address(place) else Path(place)
    holes = summary.get("missing_steps")
    said = f"finished, but metrics.jsonl has no line for steps {holes}" if holes else "done"
    for line in ending.words(folder, summary, time.monotonic() - start):
        out.print(line, markup=False)
    out.print(f"{said}: {place}\nNext: sslgraph evaluate {place} | sslgraph report {place}", markup=False)
