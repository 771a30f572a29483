"""`sslgraph train`: trains in one process, or in several through Ray Train."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Option

from ..options import ChangedData, Data, FromScratch, Plugins, Seed, Sets, named, numbered, out, overrides


def train(
    name: Annotated[
        str | None,
        named("Method (its recipe for photographs, or the demo), DATASET/METHOD, or file"),
    ] = None,
    data: Data = None,
    out_: Annotated[
        str | None, Option("--out", help="Run folder, or s3://...; an existing run there is continued")
    ] = None,
    resume: Annotated[str | None, Option("--resume", help="Run to continue with its own settings")] = None,
    epochs: Annotated[
        int | None,
        Option("--epochs", min=1, help="Epochs; with --resume, of a new run that begins with its weights"),
    ] = None,
    batch: Annotated[int | None, Option("--batch", min=1, help="Images of a step over all processes")] = None,
    lr: Annotated[float | None, Option("--lr", help="Highest learning rate; its schedule stays")] = None,
    limit: Annotated[int | None, Option("--limit", min=1, help="Train on so many images only")] = None,
    seed: Seed = None,
    seeds: Annotated[
        str | None, Option("--seeds", help="Seeds of several runs, one after another, such as 0,1,2")
    ] = None,
    device: Annotated[str | None, Option("--device", help="Device: cpu, cuda or cuda:NUMBER")] = None,
    workers: Annotated[int, Option("--workers", help="Number of processes; several run through Ray Train")] = 1,
    address: Annotated[str | None, Option("--address", help="Address of a running Ray cluster")] = None,
    profile: Annotated[bool, Option("--profile", help="Measure where the time of a step goes")] = False,
    from_scratch: FromScratch = False,
    changed_data: ChangedData = False,
    plugin: Plugins = [],
    set_: Sets = [],
) -> None:
    """Train a method. It runs in this process; with --workers N, through Ray Train."""
    from ...check.request import request
    from ...launch.launch import launch
    from ...machine import machine

    if name is None and resume is None:
        raise typer.BadParameter("name a method, a recipe or a file (see sslgraph list), or a run with --resume")
    if device is not None:
        machine.choose(device, workers)
    shortcuts = {"batch": batch, "data.limit": limit}
    given = {path: value for path, value in shortcuts.items() if value is not None} | overrides(set_)
    wanted, places = numbered(seeds, seed, resume), list[str]()
    for number in wanted:
        place = f"{out_}-seed{number}" if out_ and len(wanted) > 1 else out_
        cfg = request(
            name or "", data=data, out=place, resume=resume, seed=number, epochs=epochs, lr=lr,
            plugins=tuple(plugin), overrides=given, say=out.print,
        )  # fmt: skip
        cfg |= {"profile": profile, "from_scratch": from_scratch, "changed_data": changed_data}
        start = time.monotonic()
        summary = launch(cfg, workers=workers, address=address)
        places.append(_told(summary, time.monotonic() - start))
    together = " ".join(places)
    out.print(f"Next: sslgraph evaluate {together} | sslgraph report {together}")


def _told(summary: Mapping[str, Any], seconds: float) -> str:
    """Prints what a run reached, and where it is."""
    from sslgraph.files.addresses import is_address

    from ...storage import fetching
    from ...train import ending

    place, *_ = str(summary["checkpoint"]).rpartition("/checkpoints/")
    folder = fetching.folder_of(place) if is_address(place) else Path(place)
    holes = summary.get("missing_steps")
    said = f"finished, but metrics.jsonl has no line for steps {holes}" if holes else "done"
    for line in ending.words(folder, summary, seconds):
        out.print(line)
    out.print(f"{said}: {place}")
    return place
