"""Draws a pipeline: a box for each stage, a line for each artefact that is handed on."""

from __future__ import annotations

from sslgraph.drawing import Box, Edge, Panel, Picture
from sslgraph.read.spec import Pipeline, Stage

from .kinds.stage_kinds import KINDS
from .kinds.work import DATA, OF, inputs_of


def picture(pipeline: Pipeline) -> Picture:
    """The stages in the form of a method's picture, so that every format can be written."""
    boxes = tuple(
        Box(
            id=name,
            kind="encoder" if KINDS[stage.do].trains else "head",
            title=name.replace("_", " "),
            sub=_in_short(stage),
            weights="trained" if KINDS[stage.do].trains else "none",
            lane="",
            use=stage.recipe or "",
        )
        for name, stage in pipeline.stages.items()
    )
    edges = tuple(
        Edge(
            source=other.partition(".")[0],
            target=name,
            gradient="input",
            name="" if word in (OF, DATA, other) else word,
        )
        for name, stage in pipeline.stages.items()
        for word, other in inputs_of(stage).items()
        if other.partition(".")[0] in pipeline.stages.keys() - {name}
    )
    return Picture(pipeline.pipeline, "paper", (Panel("stages", pipeline.pipeline, boxes, edges, ()),))


def _in_short(stage: Stage) -> str:
    over = f"over {', '.join(stage.over)}" if stage.over else ""
    return " ".join(filter(None, (stage.do.replace("_", " "), str(stage.settings.get("labels", "")), over)))
