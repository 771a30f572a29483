"""Writes the result of a study: table.csv with a row for each cell, and report.html with its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sslgraph.amounts import counted
from sslgraph.files import whole_file

from ..look.report.markup import document, element, table
from .figures import Figure, choices_of, figures, wishes
from .joined import Row, as_csv
from .plot import draw

TABLE, REPORT = "table.csv", "report.html"


def write(folder: Path, name: str, rows: Sequence[Row], plots: Mapping[str, Any]) -> list[str]:
    """Writes both files and returns what the figures say in words; SslgraphError before that if one can't be drawn."""
    drawn = [figure for title, wish in wishes(plots).items() for figure in figures(title, wish, rows)]
    axes = choices_of(rows)
    whole_file.put(folder / TABLE, as_csv(rows, axes).encode())
    whole_file.put(folder / REPORT, page(name, rows, axes, drawn).encode())
    return [f"{figure.title}: {words}" for figure in drawn for words in figure.said]


def page(name: str, rows: Sequence[Row], axes: Sequence[str], drawn: Sequence[Figure]) -> str:
    """The whole text of the page."""
    names = list(dict.fromkeys(figure for row in rows for figure in row.figures))
    cells = [
        [
            *(row.choices.get(axis, "") for axis in axes),
            *(f"{row.figures[figure]:.4g}" if figure in row.figures else "" for figure in names),
        ]
        for row in rows
    ]
    return document(
        name,
        element("header", element("h1", name), element("p", f"{counted(len(rows), 'cell')} of a grid.")),
        element("section", element("h2", "Figures"), element("div", [draw(one) for one in drawn], class_="charts")),
        element("section", element("h2", "Every cell"), table([*axes, *names], cells)),
    )
