"""`sslgraph submit`: trains on a Ray cluster, through its job server."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from typer import Argument, Option

from ..options import ChangedData, FromScratch, Plugins, Seed, Sets, overrides


def submit(
    name: Annotated[str, Argument(help="Method, recipe, or file within this folder")],
    address: Annotated[str | None, Option("--address", help="Address of the job server: http://HOST:8265")] = None,
    workers: Annotated[int, Option("--workers", help="Number of processes")] = 1,
    out_: Annotated[
        str | None, Option("--out", help="Run folder on storage that all nodes share, or s3://bucket/run")
    ] = None,
    data: Annotated[str | None, Option("--data", help="Images, at a path that every node has")] = None,
    seed: Seed = None,
    env: Annotated[list[str], Option("--env", help="Environment variable for the run, NAME=VALUE")] = [],
    from_scratch: FromScratch = False,
    changed_data: ChangedData = False,
    no_wait: Annotated[bool, Option("--no-wait", help="Return as soon as the job is sent")] = False,
    plugin: Plugins = [],
    set_: Sets = [],
) -> None:
    """Train on a Ray cluster. This folder is sent there and its output is shown here; see docs/cluster.md."""
    from ...check.request import request
    from ...launch import job_server
    from ...train.start.prepare import settled

    job = job_server.job(
        name, out=out_, workers=workers, data=data, seed=seed, plugins=plugin, sets=set_, variables=env
    )
    flags = {"--from-scratch": from_scratch, "--changed-data": changed_data}
    job = replace(job, words=(*job.words, *(flag for flag, is_given in flags.items() if is_given)))
    asked = request(name, data=data, out=out_, plugins=tuple(plugin), overrides=overrides(set_), is_here=False)
    # What is trusted here is named there, where nothing is known of it.
    trusted = [word for known in settled(asked)["plugins"] if known not in plugin for word in ("--plugin", known)]
    job = replace(job, words=(*job.words, *trusted))
    job_server.submit(job, address, say=lambda text: print(text, end="", flush=True), wait=not no_wait)
