"""`do: study`: what the cells of other stages found, in table.csv, and as figures in report.html."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from typing import Any

from sslgraph.errors import Fault, unknown
from sslgraph.read.spec import Pipeline, Stage

from ...study.figures import Wish
from ...study.joined import joined
from .. import artefact
from .work import Work

FACTS = ("x", "y", "against", "beside")  # settings of a plot that name a fact


def stage(work: Work) -> dict[str, Any]:
    """Joins what the cells found, and writes table and figures."""
    from ...study.study_page import write  # it draws: planning a study needs no torch

    cells = [(word, choices, artefact.done(work.inputs[name]) or {}) for name, (word, choices) in work.gathered.items()]
    rows = joined([(word, choices, _found(facts)) for word, choices, facts in cells])
    own = work.stage.settings
    said = write(work.folder, own.get("title", work.name.replace("_", " ")), rows, own.get("plots", {}))
    return {"cells": len(rows), "said": said}


def _found(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What a stage says, without what its marker says of itself."""
    return {name: value for name, value in facts.items() if name not in ("text", "inputs", "code", "do")}


def study_faults(name: str, study: Stage, pipeline: Pipeline) -> Iterator[Fault]:
    """What is wrong with a study: it is given a path, or a plot has unknown settings, axes or names."""
    here, given = ("stages", name, "plots"), study.given
    for word, other in given.items():
        if other not in pipeline.stages:
            problem = f"a study is made of stages of its own pipeline, and '{other}' is none"
            yield Fault(("stages", name, "given", word), problem)
    known = {field.name: field.default is MISSING for field in fields(Wish)}
    for title, wish in study.settings.get("plots", {}).items():
        if not isinstance(wish, dict):
            yield Fault((*here, title), f"plot '{title}' must be a mapping, such as {{along: AXIS, y: WORD.FACT}}")
            continue
        for key in wish:
            if key not in known:
                yield unknown((*here, title, key), f"plot '{title}' has no setting", str(key), known)
        for key in (key for key, needed in known.items() if needed and key not in wish):
            yield Fault((*here, title), f"plot '{title}' needs {key}:")
        mean = wish.get("mean", [])
        for axis in filter(None, [wish.get("along"), wish.get("panels"), *([mean] if isinstance(mean, str) else mean)]):
            if axis not in pipeline.grid:
                yield unknown((*here, title), f"plot '{title}': the grid has no axis", str(axis), pipeline.grid)
        for key in FACTS:
            word, _, fact = str(wish.get(key, "")).partition(".")
            if key in wish and (word not in given or not fact):
                problem = f"plot '{title}', {key}: write WORD.FACT; no name under given: is"
                yield unknown((*here, title, key), problem, word, given)


def asked(study: Stage) -> dict[str, set[str]]:
    """The facts that the plots of a study ask of each name under `given:`."""
    found: dict[str, set[str]] = {}
    for wish in study.settings.get("plots", {}).values():
        for key in FACTS:
            word, _, fact = str(wish.get(key, "")).partition(".")
            found.setdefault(word, set()).add(fact)
    return found
