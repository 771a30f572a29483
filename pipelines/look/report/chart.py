"""Draws curves over the steps of a run as inline SVG, with labelled lines at values that mean something."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from .frame import Curve, Level, Plane, Points, axes, framed, level_lines, line, ticks, value
from .markup import Markup, element, table

# More points than this are drawn as the mean of as many neighbours, in a band from least to greatest.
MOST = 220
# A level further from the curves than this many times their range would flatten them; it is said in words.
FAR = 2.5


@dataclass(frozen=True)
class Chart:
    """A chart: title, curves, levels; values are shown as fractions of a hundred where `is_share`."""

    title: str
    curves: Sequence[Curve]
    levels: Sequence[Level] = field(default=())
    is_share: bool = False
    note: str = ""


def draw(chart: Chart, *, last: float = 1.0) -> Markup:
    """The chart as a figure: its title, a legend, the picture, and its numbers in a table that folds.

    The axis of steps goes from 0 to `last`, or as far as the curves go: charts of one page stand on one axis.
    """
    curves = [curve for curve in chart.curves if curve.points]
    levels = merged(chart.levels)
    low, high, shown, beyond = limits(curves, levels)
    last = max([last, *(curve.points[-1][0] for curve in curves)])
    plane = Plane(0.0, last, low, high)
    points = [(plane.x(x), plane.y(y)) for curve in curves for x, y in thinned(curve.points)[0]]
    far = [f"{level.name} ({value(level.value, chart.is_share)}) lies beyond the axis" for level in beyond]
    note = ". ".join(filter(None, [chart.note, *far]))
    return framed(
        chart.title,
        _in_words(chart, curves, levels),
        curves,
        axes(plane, [(tick, f"{tick:,.10g}") for tick in ticks(0.0, last)], "step", is_share=chart.is_share),
        level_lines(plane.y, shown, points, chart.is_share),
        [_curve(plane, curve) for curve in curves],
        notes=[f"{note}."] if note else [],
        numbers=_numbers(curves, levels, chart.is_share),
    )


def limits(curves: Sequence[Curve], levels: Sequence[Level]) -> tuple[float, float, list[Level], list[Level]]:
    """The ends of the value axis; the levels on it, and those so far away that the curves would become flat lines."""
    values = [v for curve in curves for _, v in curve.points] or [level.value for level in levels] or [0.0]
    low, high = min(values), max(values)
    span = (high - low) or abs(high) or 1.0
    near = [level for level in levels if low - FAR * span <= level.value <= high + FAR * span]
    low, high = min([low, *(level.value for level in near)]), max([high, *(level.value for level in near)])
    margin = 0.06 * ((high - low) or abs(high) or 1.0)
    return low - margin, high + margin, near, [level for level in levels if level not in near]


def merged(levels: Sequence[Level]) -> list[Level]:
    """Levels of one value under one name."""
    names: dict[float, list[str]] = {}
    for level in levels:
        names.setdefault(round(level.value, 6), []).append(level.name)
    return [Level(" and ".join(dict.fromkeys(found)), number) for number, found in names.items()]


def thinned(points: Points, most: int = MOST) -> tuple[Points, Points, Points]:
    """Means of neighbouring points, and the least and the greatest of each group; the points themselves if few."""
    if len(points) <= most:
        return points, (), ()
    size = math.ceil(len(points) / most)
    groups = [points[i : i + size] for i in range(0, len(points), size)]
    middles = [sum(step for step, _ in group) / len(group) for group in groups]
    values = [[v for _, v in group] for group in groups]
    mean = [(x, sum(group) / len(group)) for x, group in zip(middles, values, strict=True)]
    return (
        mean,
        [(x, min(group)) for x, group in zip(middles, values, strict=True)],
        [(x, max(group)) for x, group in zip(middles, values, strict=True)],
    )


def _curve(plane: Plane, curve: Curve) -> list[Markup]:
    mean, least, greatest = thinned(curve.points)
    look = f"c{curve.colour % 6}"
    drawn = []
    if least:
        outline = [*greatest, *reversed(least)]
        drawn.append(element("path", d=plane.path(outline) + "Z", class_=f"band {look}"))
    drawn.append(line(plane, curve, mean))
    if len(mean) <= 24:
        drawn += [
            element("circle", cx=round(plane.x(x), 1), cy=round(plane.y(y), 1), r=2.4, class_=f"dot {look}")
            for x, y in mean
        ]
    return drawn


def _in_words(chart: Chart, curves: Sequence[Curve], levels: Sequence[Level]) -> str:
    told = [
        f"{c.name} from {value(c.points[0][1], chart.is_share)} at step {c.points[0][0]:g} "
        f"to {value(c.points[-1][1], chart.is_share)} at step {c.points[-1][0]:g}"
        for c in curves
    ]
    return "; ".join([*told, *(f"{level.name} is {value(level.value, chart.is_share)}" for level in levels)])


def _numbers(curves: Sequence[Curve], levels: Sequence[Level], is_share: bool) -> Markup:
    """Up to twelve steps, the first and the last among them, and what each curve says nearest to them."""
    steps = sorted({step for curve in curves for step, _ in curve.points})
    picked = [steps[round(i * (len(steps) - 1) / 11)] for i in range(12)] if len(steps) > 12 else steps
    rows: list[list[str]] = []
    for step in picked:
        near = [min(curve.points, key=lambda point: (abs(point[0] - step), point[0])) for curve in curves]
        rows.append([f"{step:g}", *(value(v, is_share) if x == step else "" for x, v in near)])
    rows += [[level.name, *([value(level.value, is_share)] * len(curves))] for level in levels]
    return table(["step", *(curve.name for curve in curves)], rows)
