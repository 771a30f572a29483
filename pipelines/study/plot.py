"""Draws a figure of a study as inline SVG: curves over numbers, over their logarithms, or over names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..look.report.frame import (
    LEFT,
    LETTER,
    RIGHT,
    WIDTH,
    Curve,
    Level,
    Plane,
    axes,
    framed,
    level_lines,
    line,
    ticks,
    value,
)
from ..look.report.markup import Markup, element, table
from .figures import Figure, Point

GAP = 8  # pixels between two words on an axis
MARGIN = 0.06  # of an axis, beyond its outermost points


def draw(figure: Figure) -> Markup:
    """The figure: title, legend, picture, what it says in words, and its numbers in a table that folds."""
    points = [point for curve in figure.curves.values() for point in curve]
    around = [point.y + side * point.deviation for point in points for side in (-1, 1)]
    plane = _Plane(
        *_ends([_scaled(figure, point.x) for point in points]), *_ends([*around, *figure.levels.values()]), figure
    )
    places = [(plane.x(point.x), plane.y(point.y)) for point in points]
    curves = [
        Curve(name, [(point.x, point.y) for point in some], number, name in figure.loose)
        for number, (name, some) in enumerate(figure.curves.items(), figure.first)
    ]
    levels = [Level(*named) for named in figure.levels.items()]
    return framed(
        figure.title,
        "; ".join(figure.said) or figure.title,
        curves,
        axes(plane, _feet(plane, sorted({point.x for point in points})), figure.across, figure.up,
             is_share=figure.is_share),
        level_lines(plane.y, levels, places, figure.is_share),
        [_curve(plane, curve, figure.curves[curve.name]) for curve in curves],
        notes=[f"{words[0].upper()}{words[1:]}." for words in figure.said],
        numbers=_numbers(figure),
    )  # fmt: skip


def _scaled(figure: Figure, x: float) -> float:
    return math.log(x) if figure.scale == "log" else x


@dataclass(frozen=True)
class _Plane(Plane):
    """From what a figure means to places in the picture: its lower axis may have logarithms."""

    figure: Figure

    def x(self, x: float) -> float:
        """Pixels from the left."""
        return super().x(_scaled(self.figure, x))


def _feet(plane: _Plane, marks: Sequence[float]) -> list[tuple[float, str]]:
    """The marks of the lower axis: names, the points' own numbers if few, or round ones."""
    figure = plane.figure
    if figure.scale == "names":
        # The last one may end at the edge, and so reach half its width further to the left.
        room = (WIDTH - LEFT - RIGHT) / max(1, len(figure.names) - 1) / 1.5 - GAP
        return [(float(place), _fitted(name, room)) for place, name in enumerate(figure.names)]
    if figure.scale == "log" or len(marks) <= 6:
        return _apart([(mark, f"{mark:.3g}") for mark in marks], plane)
    return [(tick, f"{tick:.4g}") for tick in ticks(plane.left, plane.right)]


def _apart(marks: Sequence[tuple[float, str]], plane: _Plane) -> list[tuple[float, str]]:
    """Those marks whose words do not touch."""
    kept: list[tuple[float, str]] = []
    for mark, text in marks:
        wide = LETTER * (len(text) + len(kept[-1][1])) / 2 if kept else 0.0
        if not kept or plane.x(mark) - plane.x(kept[-1][0]) > wide + GAP:
            kept.append((mark, text))
    return kept


def _fitted(text: str, room: float) -> str:
    """A name as far as there is room: its end is what tells names apart."""
    most = max(4, int(room / LETTER))
    return text if len(text) <= most else f"…{text[1 - most :]}"


def _ends(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = MARGIN * ((high - low) or abs(high) or 1.0)
    return low - margin, high + margin


def _curve(plane: _Plane, curve: Curve, points: Sequence[Point]) -> list[Markup]:
    look = f"c{curve.colour % 6}"
    drawn = [] if curve.is_loose else [line(plane, curve, curve.points)]
    for point in points:
        x, y = round(plane.x(point.x), 1), round(plane.y(point.y), 1)
        if point.deviation:
            top, foot = (round(plane.y(point.y + side * point.deviation), 1) for side in (1, -1))
            drawn.append(element("path", d=f"M{x} {top}V{foot}", class_=f"line {look}"))
        drawn.append(element("circle", cx=x, cy=y, r=2.8, class_=f"dot {look}"))
        if point.words:
            is_late = x > WIDTH - RIGHT - 60
            side, look_ = (x - 6, "name end") if is_late else (x + 6, "name")
            drawn.append(element("text", point.words, x=side, y=y - 5, class_=look_))
    return drawn


def _numbers(figure: Figure) -> Markup:
    rows = []
    for name, points in figure.curves.items():
        for point in points:
            where = figure.names[int(point.x)] if figure.scale == "names" else f"{point.x:.4g}"
            around = f" ± {value(point.deviation, figure.is_share)}" if point.deviation else ""
            rows.append([name, f"{where} {point.words}".strip(), f"{value(point.y, figure.is_share)}{around}"])
    return table(["curve", figure.across, figure.up], rows)
