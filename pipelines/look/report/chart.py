"""Draws curves over the steps of a run as inline SVG, with labelled lines at values that mean something."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .markup import Markup, details, element, table

WIDTH, HEIGHT = 440, 262
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 14, 36
# More points than this are drawn as the mean of as many neighbours, in a band from least to greatest.
MOST = 220
# A level further from the curves than this many times their range would flatten them; it is said in words.
FAR = 2.5
LETTER = 6.5  # the width of a letter of a name, in the units of the picture, at most
DASHES = ("", "7 3", "2 3", "9 3 2 3", "4 4", "12 4")
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Curve:
    """A named series of (step, value); `colour` numbers its colour and its dashes. A loose one is dots, not a line."""

    name: str
    points: Points
    colour: int = 0
    is_loose: bool = False


@dataclass(frozen=True)
class Level:
    """A value that means something at every step, such as the loss's chance."""

    name: str
    value: float


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
    plane = _Plane(last, low, high)
    points = [(plane.x(x), plane.y(y)) for curve in curves for x, y in thinned(curve.points)[0]]
    picture = element(
        "svg",
        element("title", chart.title),
        element("desc", _in_words(chart, curves, levels)),
        _axes(plane, chart.is_share),
        level_lines(plane.y, shown, points, chart.is_share),
        [_curve(plane, curve) for curve in curves],
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        class_="chart",
    )
    far = [f"{level.name} ({value(level.value, chart.is_share)}) lies beyond the axis" for level in beyond]
    note = ". ".join(filter(None, [chart.note, *far]))
    return element(
        "figure",
        element("figcaption", element("strong", chart.title), legend(curves)),
        picture,
        element("p", f"{note}.", class_="note") if note else None,
        details("the numbers", _numbers(curves, levels, chart.is_share)),
    )


@dataclass(frozen=True)
class _Plane:
    """From steps and values to places in the picture."""

    last: float
    low: float
    high: float

    def x(self, step: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * step / self.last

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - self.low) / (self.high - self.low)


def limits(curves: Sequence[Curve], levels: Sequence[Level]) -> tuple[float, float, list[Level], list[Level]]:
    """The ends of the value axis; the levels on it, and those so far away that the curves would become flat lines."""
    values = [v for curve in curves for _, v in curve.points] or [level.value for level in levels] or [0.0]
    low, high = min(values), max(values)
    span = (high - low) or abs(high) or 1.0
    near = [level for level in levels if low - FAR * span <= level.value <= high + FAR * span]
    low, high = min([low, *(level.value for level in near)]), max([high, *(level.value for level in near)])
    margin = 0.06 * ((high - low) or abs(high) or 1.0)
    return low - margin, high + margin, near, [level for level in levels if level not in near]


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers inside an axis: 1, 2 or 5 times a power of ten apart, about `count` of them."""
    raw = (high - low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= raw * 0.999)
    start = math.ceil(low / step - 1e-9)
    return [round(i * step, 12) + 0.0 for i in range(start, math.floor(high / step + 1e-9) + 1)]


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


def value(number: float, is_share: bool = False) -> str:
    """A number for people: four digits, or per cent."""
    return f"{number:.1%}" if is_share else f"{number:.4g}"


def _axes(plane: _Plane, is_share: bool) -> list[Markup]:
    drawn = []
    for tick in ticks(plane.low, plane.high):
        y = round(plane.y(tick), 1)
        drawn.append(element("path", d=f"M{LEFT} {y}H{WIDTH - RIGHT}", class_="grid"))
        text = f"{tick:.4g}" if not is_share else f"{tick:.4%}".rstrip("0%").rstrip(".") + "%" if tick else "0%"
        drawn.append(element("text", text, x=LEFT - 6, y=y + 4, class_="tick end"))
    for tick in ticks(0.0, plane.last):
        x = round(plane.x(tick), 1)
        drawn.append(element("path", d=f"M{x} {HEIGHT - BOTTOM}v4", class_="axis"))
        drawn.append(element("text", f"{tick:,.10g}", x=x, y=HEIGHT - BOTTOM + 17, class_="tick mid"))
    drawn.append(element("path", d=f"M{LEFT} {HEIGHT - BOTTOM}H{WIDTH - RIGHT}", class_="axis"))
    drawn.append(element("text", "step", x=WIDTH - RIGHT, y=HEIGHT - 4, class_="tick end"))
    return drawn


def level_lines(at: Callable[[float], float], levels: Sequence[Level], points: Points, is_share: bool) -> list[Markup]:
    """A line for each level, and its name where no other name stands and the fewest points of curves (places in the
    picture): above or below, at the right or at the left.
    """
    drawn, taken = [], list[tuple[str, float]]()
    for level in sorted(levels, key=lambda level: -level.value):
        y = round(at(level.value), 1)
        drawn.append(element("path", d=f"M{LEFT} {y}H{WIDTH - RIGHT}", class_="level"))
        words = f"{level.name} {value(level.value, is_share)}"
        free = [
            (side, text_y)
            for side in ("end", "start")
            for text_y in (y - 4, y + 13)
            if text_y > TOP and all(side != other or abs(text_y - there) >= 13 for other, there in taken)
        ]
        side, text_y = min(free, key=lambda place: _covered(points, words, *place)) if free else ("end", y - 4)
        taken.append((side, text_y))
        x = WIDTH - RIGHT - 2 if side == "end" else LEFT + 4
        drawn.append(element("text", words, x=x, y=round(text_y, 1), class_=f"name {side}"))
    return drawn


def _covered(points: Points, words: str, side: str, text_y: float) -> int:
    """How many points of curves lie under a name at the right or left end, whose letters stand on `text_y`."""
    wide = LETTER * len(words)
    left = WIDTH - RIGHT - wide if side == "end" else LEFT
    return sum(left <= x <= left + wide and text_y - 12 <= y <= text_y + 3 for x, y in points)


def _curve(plane: _Plane, curve: Curve) -> list[Markup]:
    mean, least, greatest = thinned(curve.points)
    look = f"c{curve.colour % 6}"
    drawn = []
    if least:
        outline = [*greatest, *reversed(least)]
        drawn.append(element("path", d=_path(plane, outline) + "Z", class_=f"band {look}"))
    title = element("title", curve.name)
    dashes = dashes_of(curve.colour)
    drawn.append(element("path", title, d=_path(plane, mean), class_=f"line {look}", stroke_dasharray=dashes or None))
    if len(mean) <= 24:
        drawn += [
            element("circle", cx=round(plane.x(x), 1), cy=round(plane.y(y), 1), r=2.4, class_=f"dot {look}")
            for x, y in mean
        ]
    return drawn


def dashes_of(colour: int) -> str:
    """Six colours times six dashes, so that curves of one colour differ in their dashes, and neighbours in both."""
    return DASHES[(colour + colour // 6) % 6]


def _path(plane: _Plane, points: Points) -> str:
    return "M" + "L".join(f"{plane.x(x):.1f} {plane.y(y):.1f}" for x, y in points)


def legend(curves: Sequence[Curve]) -> Markup | None:
    return element("span", [_entry(curve) for curve in curves], class_="legend") if len(curves) > 1 else None


def _entry(curve: Curve) -> Markup:
    look, dashes = f"c{curve.colour % 6}", dashes_of(curve.colour) or None
    line = element("path", d="M0 5H26", class_=f"line {look}", stroke_dasharray=dashes)
    mark = element("circle", cx=13, cy=5, r=2.8, class_=f"dot {look}") if curve.is_loose else line
    return element("span", element("svg", mark, viewBox="0 0 26 10", aria_hidden="true"), curve.name)


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
