"""`sslgraph train`: one process, or several through Ray Train."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import ChangedData, FromScratch, Plugins, Sets, out, overrides


def train(
    name: Annotated[
        str | None,
        typer.Argument(help="a method (its demo recipe), a recipe as FOLDER/METHOD, or a file; not with --resume"),
    ] = None,
    data: Annotated[str | None, typer.Option("--data", help="images: a folder, parquet, .tar shards; s3://...")] = None,
    out_: Annotated[str | None, typer.Option("--out", help="run folder; an existing run there is continued")] = None,
    resume: Annotated[str | None, typer.Option("--resume", help="continue this run with its own settings")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="of weights, order and views")] = None,
    workers: Annotated[int, typer.Option("--workers", help="processes that train together, through Ray Train")] = 1,
    address: Annotated[str | None, typer.Option("--address", help="of a running Ray cluster")] = None,
    profile: Annotated[bool, typer.Option("--profile", help="where the time of a step goes: a table, a trace")] = False,
    from_scratch: FromScratch = False,
    changed_data: ChangedData = False,
    plugin: Plugins = [],  # noqa: B006
    set_: Sets = [],  # noqa: B006
) -> None:
    """Train a method; on one process it starts here and now, on several through Ray Train."""
    from ..check.request import request
    from ..launch.launch import launch

    if name is None and resume is None:
        raise typer.BadParameter("name a method, a recipe or a file (see sslgraph list), or a run with --resume")
    name = name or str(Path(str(resume)) / "resolved.yaml")
    cfg = request(name, data=data, out=out_, resume=resume, seed=seed, plugins=tuple(plugin), overrides=overrides(set_))
    cfg |= {"profile": profile, "from_scratch": from_scratch, "changed_data": changed_data}
    summary = launch(cfg, workers=workers, address=address)
    folder = Path(str(summary["checkpoint"])).parent.parent
    holes = summary.get("missing_steps")
    said = f"finished, but metrics.jsonl has no line for steps {holes}" if holes else "done"
    out.print(f"{said}: {folder}\nNext: sslgraph evaluate {folder} | sslgraph report {folder}", markup=False)
