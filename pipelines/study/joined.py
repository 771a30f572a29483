"""Joins what the cells of a grid found: one row for each combination of choices."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Any

from sslgraph.read.resolved import leaves

Choices = Mapping[str, str]


@dataclass(frozen=True)
class Row:
    """The choices of a cell, and the figures of all stages that were done for just these; `word.fact` names one."""

    choices: Choices
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Mean:
    """The mean of a figure over cells that differ in averaged axes alone, and their deviation (0 for one cell)."""

    value: float
    deviation: float
    count: int


def joined(cells: Sequence[tuple[str, Choices, Mapping[str, Any]]]) -> list[Row]:
    """Rows of cells: for each the name of its stage, its choices, and the facts that it has said (numbers count)."""
    found: dict[tuple[tuple[str, str], ...], dict[str, float]] = {}
    for word, choices, facts in cells:
        row = found.setdefault(tuple(choices.items()), {})
        numbers = ((fact, value) for fact, value in leaves(facts) if isinstance(value, int | float))
        row.update({f"{word}.{fact}": float(value) for fact, value in numbers if not isinstance(value, bool)})
    return [Row(dict(choices), figures) for choices, figures in found.items()]


def averaged(rows: Sequence[Row], figure: str, over: Sequence[str] = ()) -> list[tuple[Choices, Mean]]:
    """A figure of the rows that have it, as a mean over these axes."""
    groups: dict[tuple[tuple[str, str], ...], list[float]] = {}
    for row in rows:
        if figure in row.figures:
            rest = tuple((axis, choice) for axis, choice in row.choices.items() if axis not in over)
            groups.setdefault(rest, []).append(row.figures[figure])
    return [
        (dict(rest), Mean(mean(some), stdev(some) if len(some) > 1 else 0.0, len(some)))
        for rest, some in groups.items()
    ]


def as_csv(rows: Sequence[Row], axes: Sequence[str]) -> str:
    """The whole table: a column for each axis, "" where a stage is not done over it, and one for each figure."""
    figures = list(dict.fromkeys(figure for row in rows for figure in row.figures))
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*axes, *figures])
    for row in rows:
        own = [f"{row.figures[figure]:.6g}" if figure in row.figures else "" for figure in figures]
        writer.writerow([*(row.choices.get(axis, "") for axis in axes), *own])
    return file.getvalue()
