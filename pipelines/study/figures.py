"""The figures that a study asks for: which cells are points of which curves, and the curves in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import mean
from typing import Any, Literal

from sslgraph.errors import SslgraphError, unknown

from .joined import Mean, Row, averaged
from .utility import Utility, utilities

Scale = Literal["linear", "log", "names"]
LOG = 5.0  # numbers whose greatest is this many times the least are on a logarithmic axis


@dataclass(frozen=True)
class Wish:
    """One entry of `plots:`.

    Settings:
        along: the axis whose choices are the points of a curve.
        y: what is measured, WORD.FACT: the name of a stage under given: and what it says.
        x: the horizontal axis, WORD.FACT; the choices of `along` if left out.
        against: WORD.FACT of training from scratch, along numbers of labels: the labels saved are a second figure.
        mean: axes over which the mean is taken, such as seeds.
        panels: an axis with a figure for each choice.
        beside: WORD.FACT drawn in each figure as a horizontal line at its mean, such as that before training.
    """

    along: str
    y: str
    x: str | None = None
    against: str | None = None
    mean: tuple[str, ...] = ()
    panels: str | None = None
    beside: str | None = None


@dataclass(frozen=True)
class Point:
    """A place in a figure; `deviation` is that of y over what the mean is of, `words` are beside it."""

    x: float
    y: float
    deviation: float = 0.0
    words: str = ""


@dataclass(frozen=True)
class Figure:
    """Curves by name over one axis, whose `names` are its marks if it has no numbers.

    `first` is the number of the first curve's colour: curves of one name have one colour in two figures. The points of
    `loose` curves are not joined.
    """

    title: str
    across: str
    up: str
    curves: Mapping[str, Sequence[Point]]
    scale: Scale = "linear"
    names: Sequence[str] = field(default=())
    is_share: bool = True
    said: Sequence[str] = field(default=())
    first: int = 0
    levels: Mapping[str, float] = field(default_factory=dict)
    loose: frozenset[str] = frozenset()


def wishes(plots: Mapping[str, Any]) -> dict[str, Wish]:
    """The settings of each plot, by its title."""
    found = {}
    for title, given in plots.items():
        over = given.get("mean", [])
        found[title] = Wish(**{**given, "mean": tuple([over] if isinstance(over, str) else over)})
    return found


def figures(title: str, wish: Wish, rows: Sequence[Row]) -> list[Figure]:
    """The figures of one plot: for each panel its curves, and the labels saved where it is compared.

    SslgraphError where no row has what it asks for.
    """
    chosen = [row for row in rows if wish.along in row.choices]
    order = list(dict.fromkeys(row.choices[wish.along] for row in chosen))
    for asked in filter(None, (wish.y, wish.x, wish.against, wish.beside)):
        there = {figure for row in chosen for figure in row.figures}
        if asked not in there:
            raise SslgraphError(str(unknown((), f"plot '{title}': no stage over '{wish.along}' says", asked, there)))
    panels = list(dict.fromkeys(row.choices[wish.panels] for row in chosen)) if wish.panels else [""]
    found = []
    for panel in panels:
        mine = [row for row in chosen if not wish.panels or row.choices[wish.panels] == panel]
        name = f"{title}, {panel}" if panel else title
        found += _panel(name, wish, mine, order)
    return found


def _panel(title: str, wish: Wish, rows: Sequence[Row], order: Sequence[str]) -> list[Figure]:
    places = _places(order)
    curves = _curves(wish, rows, wish.y, order)
    across = {} if wish.x is None else _curves(wish, rows, wish.x, order)
    scratch = _curves(wish, rows, wish.against, order).get("", {}) if wish.against else {}
    points: dict[str, list[Point]] = {}
    for name, curve in {**({"from scratch": scratch} if scratch else {}), **curves}.items():
        there = [
            Point(places[choice] if wish.x is None else across[name][choice].value, found.value, found.deviation,
                  "" if wish.x is None else choice)
            for choice, found in curve.items() if wish.x is None or choice in across.get(name, {})
        ]  # fmt: skip
        points[name or wish.y] = sorted(there, key=lambda point: point.x) if wish.x else there
    scale, names = _scale(order) if wish.x is None else ("linear", ())
    said = [] if wish.against else [_in_words(name, curve, order) for name, curve in curves.items()]
    beside = [row.figures[wish.beside] for row in rows if wish.beside and wish.beside in row.figures]
    levels = {wish.beside: mean(beside)} if wish.beside and beside else {}
    figure = Figure(title, wish.x or wish.along, wish.y, points, scale, names, said=said, levels=levels)
    if not scratch:
        return [figure]
    saved = {name or wish.y: _saved(scratch, curve) for name, curve in curves.items()}
    drawn = {name: [Point(u.labels, u.value, 0.0, u.side) for u in some] for name, some in saved.items()}
    told = [f"{name}: {', '.join(f'{u.labels:g} labels {u}' for u in some)}" for name, some in saved.items()]
    labels = Figure(f"Labels saved: {title}", wish.along, "utility", drawn, scale, names, False, told, first=1)
    return [figure, labels]


def _curves(wish: Wish, rows: Sequence[Row], figure: str, order: Sequence[str]) -> dict[str, dict[str, Mean]]:
    """For each combination of the other axes the means along the axis; the name of a curve are its choices."""
    found: dict[str, dict[str, Mean]] = {}
    for choices, found_mean in averaged(rows, figure, wish.mean):
        rest = [choice for axis, choice in choices.items() if axis not in (wish.along, wish.panels)]
        found.setdefault(", ".join(rest), {})[choices[wish.along]] = found_mean
    return {name: {choice: curve[choice] for choice in order if choice in curve} for name, curve in found.items()}


def _saved(scratch: Mapping[str, Mean], curve: Mapping[str, Mean]) -> list[Utility]:
    def points(some: Mapping[str, Mean]) -> list[tuple[float, float]]:
        return [(float(choice), found.value) for choice, found in some.items()]

    return utilities(points(scratch), points(curve))


def _numbers(order: Sequence[str]) -> list[float] | None:
    try:
        return [float(choice) for choice in order]
    except ValueError:
        return None


def _places(order: Sequence[str]) -> dict[str, float]:
    """Where each choice is on the axis: at its number, or one after another if one of them is none."""
    numbers = _numbers(order)
    return dict(zip(order, numbers or map(float, range(len(order))), strict=True))


def _scale(order: Sequence[str]) -> tuple[Scale, Sequence[str]]:
    numbers = _numbers(order)
    if numbers is None:
        return "names", order
    is_wide = min(numbers) > 0 and max(numbers) > LOG * min(numbers)
    return ("log" if is_wide else "linear"), ()


def _in_words(name: str, curve: Mapping[str, Mean], order: Sequence[str]) -> str:
    """Where a curve is highest, and whether it is a reverse U: it rises all the way to there, and falls from there."""
    heights = [curve[choice].value for choice in order if choice in curve]
    top = max(curve, key=lambda choice: curve[choice].value)
    peak = heights.index(curve[top].value)
    rises = all(one <= other for one, other in pairwise(heights[: peak + 1]))
    falls = all(one >= other for one, other in pairwise(heights[peak:]))
    form = "it rises to there and falls from there, a reverse U" if rises and falls else "it goes up and down"
    if peak in (0, len(heights) - 1):
        form = "that is an end of what was tried, so no reverse U is seen"
    before = f"{name}: " if name else ""
    return f"{before}highest at {top} ({curve[top].value:.1%}); {form}"


def choices_of(rows: Sequence[Row]) -> list[str]:
    """All axes of some rows."""
    return list(dict.fromkeys(axis for row in rows for axis in row.choices))
