"""The frame of a chart as inline SVG: its plane, axes, levels and legend, whatever is drawn in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from .markup import Child, Markup, details, element

WIDTH, HEIGHT = 440, 262
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 14, 36
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


def framed(
    title: str, said: str, curves: Sequence[Curve], *drawn: Sequence[Child], notes: Sequence[str], numbers: Markup
) -> Markup:
    """What is drawn, in a figure: with its title and legend, its words for who does not see it, notes and numbers."""
    picture = element(
        "svg",
        element("title", title),
        element("desc", said),
        *drawn,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        class_="chart",
    )
    return element(
        "figure",
        element("figcaption", element("strong", title), legend(curves)),
        picture,
        [element("p", note, class_="note") for note in notes],
        details("the numbers", numbers),
    )


@dataclass(frozen=True)
class Plane:
    """From the ends of both axes to places in the picture."""

    left: float
    right: float
    low: float
    high: float

    def x(self, x: float) -> float:
        """Pixels from the left."""
        return LEFT + (WIDTH - LEFT - RIGHT) * (x - self.left) / (self.right - self.left)

    def y(self, value: float) -> float:
        """Pixels from the top."""
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - self.low) / (self.high - self.low)

    def path(self, points: Iterable[tuple[float, float]]) -> str:
        """A line through points."""
        return "M" + "L".join(f"{self.x(x):.1f} {self.y(y):.1f}" for x, y in points)


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers inside an axis: 1, 2 or 5 times a power of ten apart, about `count` of them."""
    raw = (high - low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= raw * 0.999)
    start = math.ceil(low / step - 1e-9)
    return [round(i * step, 12) + 0.0 for i in range(start, math.floor(high / step + 1e-9) + 1)]


def value(number: float, is_share: bool = False) -> str:
    """A number for people: four digits, or per cent."""
    return f"{number:.1%}" if is_share else f"{number:.4g}"


def axes(plane: Plane, feet: Sequence[tuple[float, str]], across: str, up: str = "", *, is_share: bool) -> list[Markup]:
    """Lines across with their values, marks along the foot, and the names of both axes."""
    drawn = []
    for tick in ticks(plane.low, plane.high):
        y = round(plane.y(tick), 1)
        drawn.append(element("path", d=f"M{LEFT} {y}H{WIDTH - RIGHT}", class_="grid"))
        text = f"{100 * tick:.4g}%" if is_share else f"{tick:.4g}"
        drawn.append(element("text", text, x=LEFT - 6, y=y + 4, class_="tick end"))
    for place, text in feet:
        x = round(plane.x(place), 1)
        drawn.append(element("path", d=f"M{x} {HEIGHT - BOTTOM}v4", class_="axis"))
        at, look = (WIDTH - 1, "end") if x + LETTER * len(text) / 2 > WIDTH else (x, "mid")
        drawn.append(element("text", text, x=at, y=HEIGHT - BOTTOM + 17, class_=f"tick {look}"))
    drawn.append(element("path", d=f"M{LEFT} {HEIGHT - BOTTOM}H{WIDTH - RIGHT}", class_="axis"))
    drawn.append(element("text", across, x=WIDTH - RIGHT, y=HEIGHT - 4, class_="tick end"))
    return [*drawn, element("text", up, x=LEFT, y=TOP - 3, class_="tick")] if up else drawn


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


def line(plane: Plane, curve: Curve, points: Points) -> Markup:
    """The points of a curve, joined in its colour and dashes."""
    look, dashes = f"line c{curve.colour % 6}", dashes_of(curve.colour) or None
    return element("path", element("title", curve.name), d=plane.path(points), class_=look, stroke_dasharray=dashes)


def dashes_of(colour: int) -> str:
    """Six colours times six dashes, so that curves of one colour differ in their dashes, and neighbours in both."""
    return DASHES[(colour + colour // 6) % 6]


def legend(curves: Sequence[Curve]) -> Markup | None:
    return element("span", [_entry(curve) for curve in curves], class_="legend") if len(curves) > 1 else None


def _entry(curve: Curve) -> Markup:
    look, dashes = f"c{curve.colour % 6}", dashes_of(curve.colour) or None
    line = element("path", d="M0 5H26", class_=f"line {look}", stroke_dasharray=dashes)
    mark = element("circle", cx=13, cy=5, r=2.8, class_=f"dot {look}") if curve.is_loose else line
    return element("span", element("svg", mark, viewBox="0 0 26 10", aria_hidden="true"), curve.name)
