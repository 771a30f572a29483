"""What stages hand on to each other: weights, features, images; each kind of stage takes some and gives some."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sslgraph.errors import Fault, unknown
from sslgraph.read.spec import Pipeline, Stage

from .kinds.stage_kinds import KINDS
from .kinds.work import DATA, OF, Gives


def handed_on(name: str, stage: Stage, pipeline: Pipeline) -> Iterator[Fault]:
    """What is wrong with the artefacts that a stage is given: unknown or missing ones, and those of another kind."""
    here, kind = ("stages", name), KINDS[stage.do]
    if problem := kind.fault(stage):
        yield Fault(here, problem)
    for word in [word for word, must in kind.takes.items() if must and word not in stage.given]:
        yield Fault(here, f"do: {stage.do} needs given: {{{word}: STAGE}}, a stage that says do: embed")
    for word in [word for word in stage.given if not kind.trains and word not in kind.takes]:
        yield unknown((*here, "given", word), f"do: {stage.do} takes no", word, kind.takes)
    hands_on: Gives = "weights" if kind.trains else "features"
    wanted: list[tuple[tuple[str, ...], Any, Gives]] = [
        ((OF,), stage.of, "weights"),
        ((DATA,), stage.settings.get(DATA), "images"),
        *((("given", word), other, hands_on) for word, other in stage.given.items()),
    ]
    for path, other, gives in wanted:
        source = pipeline.stages.get(other) if isinstance(other, str) and other != name else None
        theirs = KINDS.get(source.do) if source is not None else None
        if theirs is not None and ("weights" if theirs.trains else theirs.gives) != gives:
            lacks = "trains nothing" if gives == "weights" else f"gives no {gives}"
            yield Fault((*here, *path), f"stage '{name}' has {path[-1]}: '{other}', which {lacks}")
