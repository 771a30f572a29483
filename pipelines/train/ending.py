"""What a run prints at its end: its results, its time, and advice where it has learned nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sslgraph.amounts import percent

from ..record.display import beside, length
from ..storage import metrics_file

KNN, RANDOM = "knn", "knn_random_encoder"
HELPS = (
    "What usually helps: more epochs (--set epochs=N) or more images, a learning rate three times lower or higher,\n"
    "views whose crops show the same object. docs/results.md shows what each method reached, and in what time."
)


def words(folder: Path, summary: Mapping[str, Any], seconds: float) -> list[str]:
    """The last lines of a run; `summary` is the one that it wrote."""
    measures = summary.get("measures", {})
    expected = [f"What to expect: {summary['expect']}"] if summary.get("expect") else []
    if KNN not in measures:
        return [f"took {length(seconds)}", *expected]
    best, step = _best(folder) or (measures[KNN], summary["steps"])
    others = f" ({beside(measures)})" if beside(measures) else ""
    said = [
        f"kNN {percent(measures[KNN])} at the end, best {percent(best)} at step {step}{others}; took {length(seconds)}"
    ]
    if RANDOM in measures and measures[KNN] <= measures[RANDOM]:
        said.append(
            f"The encoder ends no better than it began: kNN {percent(measures[KNN])}, before training "
            f"{percent(measures[RANDOM])}.\n{'' if expected else HELPS}".rstrip()
        )
    return [*said, *expected]


def _best(folder: Path) -> tuple[float, int] | None:
    """The highest recorded accuracy and its step; of equal ones the first."""
    found = [(line[KNN], -int(line["step"])) for line in metrics_file.lines(folder) if line.get(KNN) is not None]
    accuracy, step = max(found, default=(None, 0))
    return None if accuracy is None else (accuracy, -step)
