"""Draws a figure of a study as inline SVG: curves over numbers, over their logarithms, or over names."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..look.report.chart import (
    BOTTOM,
    HEIGHT,
    LEFT,
    LETTER,
    RIGHT,
    TOP,
    WIDTH,
    Curve,
    Level,
    dashes_of,
    legend,
    level_lines,
    ticks,
    value,
)  # fmt: skip
from ..look.report.markup import Markup, details, element, table
from .figures import Figure, Point

GAP = 8  # pixels between two words on an axis
MARGIN = 0.06  # of an axis, beyond its outermost points


def draw(figure: Figure) -> Markup:
    """The figure: title, legend, picture, what it says in words, and its numbers in a table that folds."""
    names = list(figure.curves)
    plane = _Plane(figure)
    picture = element(
        "svg",
        element("title", figure.title),
        element("desc", "; ".join(figure.said) or figure.title),
        plane.axes(),
        [
            _curve(plane, name, figure.curves[name], number, is_joined=name not in figure.loose)
            for number, name in enumerate(names, figure.first)
        ],
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        class_="chart",
    )
    curves = [Curve(name, (), number, name in figure.loose) for number, name in enumerate(names, figure.first)]
    return element(
        "figure",
        element("figcaption", element("strong", figure.title), legend(curves)),
        picture,
        [element("p", f"{words[0].upper()}{words[1:]}.", class_="note") for words in figure.said],
        details("the numbers", _numbers(figure)),
    )


class _Plane:
    """From what a figure means to places in the picture."""

    def __init__(self, figure: Figure) -> None:
        points = [point for curve in figure.curves.values() for point in curve]
        self.figure = figure
        self.is_log = figure.scale == "log"
        self.left, self.right = _ends([self._scaled(point.x) for point in points])
        around = [point.y + side * point.deviation for point in points for side in (-1, 1)]
        self.low, self.high = _ends([*around, *figure.levels.values()])
        self.marks = sorted({point.x for point in points})

    def _scaled(self, x: float) -> float:
        return math.log(x) if self.is_log else x

    def x(self, x: float) -> float:
        """Pixels from the left."""
        return LEFT + (WIDTH - LEFT - RIGHT) * (self._scaled(x) - self.left) / (self.right - self.left)

    def y(self, y: float) -> float:
        """Pixels from the top."""
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (y - self.low) / (self.high - self.low)

    def axes(self) -> list[Markup]:
        """Lines across with their values, marks along the foot, and the names of both axes."""
        drawn, figure = [], self.figure
        for tick in ticks(self.low, self.high):
            y = round(self.y(tick), 1)
            drawn.append(element("path", d=f"M{LEFT} {y}H{WIDTH - RIGHT}", class_="grid"))
            text = f"{100 * tick:.4g}%" if figure.is_share else f"{tick:.4g}"
            drawn.append(element("text", text, x=LEFT - 6, y=y + 4, class_="tick end"))
        for place, text in self._feet():
            x = round(self.x(place), 1)
            drawn.append(element("path", d=f"M{x} {HEIGHT - BOTTOM}v4", class_="axis"))
            is_cut = x + _width(text) / 2 > WIDTH
            at, look = (WIDTH - 1, "tick end") if is_cut else (x, "tick mid")
            drawn.append(element("text", text, x=at, y=HEIGHT - BOTTOM + 17, class_=look))
        places = [(self.x(point.x), self.y(point.y)) for curve in figure.curves.values() for point in curve]
        drawn += level_lines(self.y, [Level(*named) for named in figure.levels.items()], places, figure.is_share)
        drawn.append(element("path", d=f"M{LEFT} {HEIGHT - BOTTOM}H{WIDTH - RIGHT}", class_="axis"))
        drawn.append(element("text", figure.across, x=WIDTH - RIGHT, y=HEIGHT - 4, class_="tick end"))
        drawn.append(element("text", figure.up, x=LEFT, y=TOP - 3, class_="tick"))
        return drawn

    def _feet(self) -> list[tuple[float, str]]:
        """The marks of the lower axis: names, the points' own numbers if few, or round ones."""
        if self.figure.scale == "names":
            # The last one may end at the edge, and so reach half its width further to the left.
            room = (WIDTH - LEFT - RIGHT) / max(1, len(self.figure.names) - 1) / 1.5 - GAP
            return [(float(place), _fitted(name, room)) for place, name in enumerate(self.figure.names)]
        if self.is_log or len(self.marks) <= 6:
            return _apart([(mark, f"{mark:.3g}") for mark in self.marks], self)
        return [(tick, f"{tick:.4g}") for tick in ticks(self.left, self.right)]


def _apart(marks: Sequence[tuple[float, str]], plane: _Plane) -> list[tuple[float, str]]:
    """Those marks whose words do not touch."""
    kept: list[tuple[float, str]] = []
    for mark, text in marks:
        wide = (_width(text) + _width(kept[-1][1])) / 2 if kept else 0.0
        if not kept or plane.x(mark) - plane.x(kept[-1][0]) > wide + GAP:
            kept.append((mark, text))
    return kept


def _width(text: str) -> float:
    """Pixels that words on an axis take, about."""
    return LETTER * len(text)


def _fitted(text: str, room: float) -> str:
    """A name as far as there is room: its end is what tells names apart."""
    most = max(4, int(room / LETTER))
    return text if len(text) <= most else f"…{text[1 - most :]}"


def _ends(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = MARGIN * ((high - low) or abs(high) or 1.0)
    return low - margin, high + margin


def _curve(plane: _Plane, name: str, points: Sequence[Point], number: int, *, is_joined: bool) -> list[Markup]:
    look, drawn = f"c{number % 6}", list[Markup]()
    if is_joined:
        path = "M" + "L".join(f"{plane.x(point.x):.1f} {plane.y(point.y):.1f}" for point in points)
        title = element("title", name)
        drawn.append(element("path", title, d=path, class_=f"line {look}", stroke_dasharray=dashes_of(number) or None))
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
