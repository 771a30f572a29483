"""Checks what a recipe asks for besides training: `evaluate:` and `checkpoint:`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sslgraph.errors import Fault, SslgraphError, raise_all, unknown, words
from sslgraph.parts import kinds
from sslgraph.read.loaded import Loaded
from sslgraph.read.spec import Recipe
from sslgraph.schedules import duration

LENGTH = "length of time"
KNN = {
    "every": LENGTH, "k": "Count", "temperature": "Positive", "bank": "Count", "queries": "Count",
    "size": "Count | None",
}  # fmt: skip
SEGMENTATION = {
    "path": "str", "size": "Count | None", "ignore": "list[Whole]", "bank": "Count", "queries": "Count",
}  # fmt: skip
MEASURES = {"knn": KNN, "segmentation": SEGMENTATION}
CHECKPOINT = {"every": LENGTH, "keep": "Count", "best": "str | None"}


def refuse(loaded: Loaded[Recipe]) -> None:
    """Refuses unknown settings of both mappings, and values that can't be; all of them at once."""
    evaluate, wish = loaded.spec.evaluate, loaded.spec.checkpoint
    faults = [
        unknown(("evaluate", key), "evaluate: has no setting", key, MEASURES) for key in evaluate if key not in MEASURES
    ]
    for measure, known in MEASURES.items():
        faults += _faults(("evaluate", measure), evaluate.get(measure) or {}, known)
    if "segmentation" in evaluate and "path" not in (evaluate["segmentation"] or {}):
        cure = "add path: FOLDER, of images with label maps"
        faults.append(Fault(("evaluate", "segmentation"), "segmentation needs a path", (), cure))
    faults += _faults(("checkpoint",), wish, CHECKPOINT)
    best = wish.get("best")
    if isinstance(best, str) and (best != "knn" or best not in evaluate):
        cure = "add evaluate: {knn: {}}" if best == "knn" else "write best: knn"
        faults.append(Fault(("checkpoint", "best"), f"best: {best} is not measured during this run", (), cure))
    raise_all(faults, loaded.place)


def _faults(path: tuple[str, ...], given: Any, known: Mapping[str, str]) -> list[Fault]:
    name = ".".join(path)
    if not isinstance(given, Mapping):
        return [Fault(path, f"{name} must be a mapping, not {words(given)}")]
    faults = [unknown((*path, key), f"{name} has no setting", key, known) for key in given if key not in known]
    told = {key: _problem(known[key], value) for key, value in given.items() if key in known}
    return faults + [Fault((*path, key), f"{name}.{key} {problem}") for key, problem in told.items() if problem]


def _problem(kind: str, value: Any) -> str:
    if kind != LENGTH:
        return kinds.problem(kind, value)
    try:
        return "" if value is None or duration(value).amount > 0 else f"must be longer than '{value}'"
    except SslgraphError as wrong:
        return f"can't be read: {wrong}"
