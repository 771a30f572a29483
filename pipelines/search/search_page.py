"""Writes the result of a search: table.csv and report.html, each trial with its difference from the base."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from sslgraph.amounts import counted, percent
from sslgraph.files import whole_file

from ..look.report.markup import Markup, document, element, table
from ..record.display import length
from ..study.figures import Figure, Point, Scale
from ..study.joined import Row, as_csv
from ..study.plot import draw
from .space import KNN, Number, Variants
from .structure import said
from .tried import BASE, Outcome, Shared

TABLE, REPORT = "table.csv", "report.html"
DIFFERS = "differs from the base"


def write(shared: Shared, found: Sequence[Outcome]) -> None:
    """Writes both files, of trials in the order in which they were finished."""
    rows = [
        Row(
            {DIFFERS: one.words, "state": one.state, "folder": shared.place(one.words).name},
            {**one.figures, **({} if one.spread is None else {"spread": one.spread})},
        )
        for one in found
    ]
    whole_file.put(shared.folder / TABLE, as_csv(rows, [DIFFERS, "state", "folder"]).encode())
    whole_file.put(shared.folder / REPORT, page(shared, found).encode())


def page(shared: Shared, found: Sequence[Outcome]) -> str:
    """The whole text of the page."""
    word = "lowest" if shared.space.is_minimized else "highest"
    tried = f"{counted(len(found), 'trial')} on the way to the {word} {_objective(shared)}"
    lead = f"{tried}. Each stands under its difference to the base; the folder of each {_holds(shared)}."
    return document(
        shared.space.title,
        element("header", element("h1", shared.space.title), element("p", lead)),
        element("section", element("h2", "Figures"), element("div", _drawn(shared, found), class_="charts")),
        element("section", element("h2", "Every trial"), table(["", *heads(shared, found)], [
            [str(i), *cells] for i, cells in enumerate(lines(shared, found), 1)])),
        _unfinished(found),
    )  # fmt: skip


def _holds(shared: Shared) -> str:
    return (
        f"holds the runs of {counted(len(shared.seeds), 'seed')}, whose mean is shown" if shared.seeds else "is a run"
    )


def heads(shared: Shared, found: Sequence[Outcome]) -> list[str]:
    """The columns of the table of trials."""
    return [DIFFERS, _objective(shared), *_others(shared, found), "took", "folder"]


def lines(shared: Shared, found: Sequence[Outcome]) -> list[list[str]]:
    """The rows of the table, trials with a value, the best first."""
    sign = 1 if shared.space.is_minimized else -1
    done = sorted((one for one in found if one.value is not None), key=lambda one: sign * (one.value or 0.0))
    others = _others(shared, found).values()
    return [
        [
            one.words,
            " ± ".join(_written(shared, some) for some in (one.value, one.spread) if some is not None),
            *(_written(shared, one.figures.get(name)) for name in others),
            length(one.seconds),
            shared.place(one.words).name,
        ]
        for one in done
    ]


def _objective(shared: Shared) -> str:
    return "kNN, training images" if shared.space.objective == KNN else shared.space.objective


def _others(shared: Shared, found: Sequence[Outcome]) -> dict[str, str]:
    """What is beside the objective, under its title: of nearest neighbours those of test images."""
    is_there = shared.space.objective == KNN and any(KNN in one.figures for one in found)
    return {"kNN, test images": KNN} if is_there else {}


def _written(shared: Shared, value: float | None) -> str:
    if value is None:
        return ""
    return percent(value) if shared.space.objective == KNN else f"{value:.4g}"


def _drawn(shared: Shared, found: Sequence[Outcome]) -> list[Markup]:
    done = [one for one in found if one.value is not None]
    if not done:
        return [element("p", "No trial has a value.", class_="note")]
    figures, trials = [_course(shared, done)], [one for one in done if one.point]
    axes: list[Number | Variants] = [*shared.space.numbers, *shared.space.variants]
    for i, axis in enumerate(axes) if trials else ():
        figures.append(_along(shared, axis, [(one.point[i], one.value) for one in trials if one.point], done))
    return [draw(figure) for figure in figures]


def _course(shared: Shared, done: Sequence[Outcome]) -> Figure:
    """The value of each trial in the order in which they were finished, and the best so far."""
    values = [one.value or 0.0 for one in done]
    best = accumulate(values, min if shared.space.is_minimized else max)
    curves = {
        "best so far": [Point(float(i), value) for i, value in enumerate(best, 1)],
        "trials": [Point(float(i), value) for i, value in enumerate(values, 1)],
    }
    return Figure(
        "Trial by trial", "trials finished", _objective(shared), curves, is_share=_is_share(shared),
        levels=_base(done), loose=frozenset(["trials"]),
    )  # fmt: skip


def _along(
    shared: Shared, axis: Number | Variants, points: Sequence[tuple[float, Any]], done: Sequence[Outcome]
) -> Figure:
    """The values of trials along what they differ in; other things differ, too."""
    if isinstance(axis, Number):
        title, names = axis.path, [str(value) for value in axis.choices]
    else:
        title, names = axis.title, ["as it is", *map(said, axis.ways)]
    scale: Scale = "names" if names else "log" if axis.axis.scale == "log" else "linear"
    curve = [Point(float(at), float(value)) for at, value in points]
    return Figure(
        title, title, _objective(shared), {"trials": curve}, scale, names, _is_share(shared), levels=_base(done),
        loose=frozenset(["trials"]), first=1,
    )  # fmt: skip


def _base(done: Sequence[Outcome]) -> dict[str, float]:
    """The base's value, as a line across."""
    values = [one.value for one in done if one.point is None and one.value is not None]
    return {BASE: values[0]} if values else {}


def _is_share(shared: Shared) -> bool:
    return shared.space.objective == KNN


def _unfinished(found: Sequence[Outcome]) -> Markup | None:
    """The trials without a value, each with what is wrong with it."""
    others = [one for one in found if one.value is None]
    if not others:
        return None
    rows = [[one.words, one.state, one.why.splitlines()[0] if one.why else ""] for one in others]
    return element("section", element("h2", "Trials without a value"), table([DIFFERS, "", "why"], rows))
