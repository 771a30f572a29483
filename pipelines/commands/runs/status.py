"""`sslgraph status`: shows which stages of a pipeline are done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from typer import Argument

from ..options import Artefacts, Plugins, Sets, StageData, out, overrides

if TYPE_CHECKING:
    from ...stages.stage_plan import Planned


def status(
    name: Annotated[str, Argument(help="Pipeline, by name or file")],
    out_: Artefacts = None,
    data: StageData = None,
    plugin: Plugins = [],
    set_: Sets = [],
) -> None:
    """Show which stages of a pipeline are done.

    A stage is stale if its text, its inputs or the code of its parts have changed since it was made.
    """
    from ...stages.stage_plan import plan

    out.print(table(plan(name, out_, changes=overrides(set_), data=data, plugins=tuple(plugin))))


def table(stages: Sequence[Planned]) -> str:
    """A line for each stage: its state, what it does, its artefact, and what it found."""
    from ...stages import artefact
    from ...stages.one_stage import words

    width = max(len(stage.name) for stage in stages)
    lines = []
    for stage in stages:
        why = f" ({stage.why})" if stage.why else ""
        found = words(artefact.done(stage.folder) or {})
        lines.append(f"{stage.name:<{width}}  {stage.state:<5}{why}  {stage.stage.do}  {stage.folder}{found}")
    return "\n".join(lines)
