"""The command `sslgraph submit`."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from .options import ChangedData, FromScratch, Plugins, Sets, overrides


def submit(
    name: Annotated[str, typer.Argument(help="a method, a recipe, or a file within this folder")],
    address: Annotated[str | None, typer.Option("--address", help="of the job server: http://HOST:8265")] = None,
    workers: Annotated[int, typer.Option("--workers", help="processes that train together")] = 1,
    out_: Annotated[str | None, typer.Option("--out", help="the run folder, on storage that all nodes share")] = None,
    data: Annotated[str | None, typer.Option("--data", help="where the images are, on every node")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="of weights, order and views")] = None,
    env: Annotated[list[str], typer.Option("--env", help="a variable that the run sees, NAME=VALUE")] = [],  # noqa: B006
    from_scratch: FromScratch = False,
    changed_data: ChangedData = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="come back as soon as the job is sent")] = False,
    plugin: Plugins = [],  # noqa: B006
    set_: Sets = [],  # noqa: B006
) -> None:
    """Train on a Ray cluster: this folder is sent there, its output is shown here; docs/cluster.md says how."""
    from ..check.request import request
    from ..launch import job_server
    from ..train.prepare import settled

    job = job_server.job(
        name, out=out_, workers=workers, data=data, seed=seed, plugins=plugin, sets=set_, variables=env
    )
    flags = {"--from-scratch": from_scratch, "--changed-data": changed_data}
    job = replace(job, words=(*job.words, *(flag for flag, is_given in flags.items() if is_given)))
    settled(request(name, data=data, out=out_, plugins=tuple(plugin), overrides=overrides(set_), is_here=False))
    job_server.submit(job, address, say=lambda text: print(text, end="", flush=True), wait=not no_wait)
