"""`sslgraph run`: runs the stages of a pipeline."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option

from ..options import Address, Artefacts, Plugins, Sets, StageData, out, overrides
from .status import table


def run(
    name: Annotated[str, Argument(help="Pipeline, by name or file")],
    out_: Artefacts = None,
    data: StageData = None,
    only: Annotated[list[str], Option("--only", help="Run this stage only (several times for several)")] = [],
    dry: Annotated[bool, Option("--dry", help="Say what would be run, and run nothing")] = False,
    workers: Annotated[
        int, Option("--workers", help="Stages that run at a time, each in a process of its own, through Ray")
    ] = 1,
    address: Address = None,
    plugin: Plugins = [],
    set_: Sets = [],
) -> None:
    """Run the stages of a pipeline that are not done.

    They run one after another, or with --workers N side by side, as their inputs are done.
    --set STAGE.PATH=VALUE changes the recipe of a stage, --set '*.PATH=VALUE' all, and --set 'grid.AXIS=[CHOICES]' says
    over what a grid is done.
    """
    from ...stages.checking import checked, refuse_unlabelled
    from ...stages.running import refuse_strange
    from ...stages.running import run as run_stages
    from ...stages.stage_plan import plan

    stages = plan(name, out_, changes=overrides(set_), data=data, plugins=tuple(plugin))
    refuse_strange(stages, only)
    if dry:
        out.print(table(stages))
        return
    if any(stage.state != "done" for stage in stages):
        for line, _ in checked(stages, tuple(plugin)):
            out.print(line)
        refuse_unlabelled(stages, tuple(plugin))
    run_stages(stages, out.print, only=only, plugins=tuple(plugin), workers=workers, address=address)
