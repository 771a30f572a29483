"""Draws a map of images as inline SVG: a colour and a shape for each class; pointing at a point names it."""

from __future__ import annotations

from collections.abc import Iterable

from ..contact_sheet import class_name
from .markup import Markup, element
from .seen import Map

SIDE, MARGIN = 400, 12
COLOURS, SHAPES = 7, 4
# Seven colours and four shapes have no common divisor: so many classes differ in one of the two.
MARKED = COLOURS * SHAPES


def draw(map_: Map) -> Markup:
    """The map as a figure with its title."""
    groups: dict[int, list[str]] = {}
    for (x, y), label, index in zip(_placed(map_), map_.labels.tolist(), map_.index.tolist(), strict=True):
        name = class_name(map_.classes, label)
        title = element("title", f"{name}, image {index}" if name else f"image {index}")
        groups.setdefault(label, []).append(element("path", title, d=shape(label, x, y)))
    drawn = [
        element("g", [Markup(point) for point in points], class_=f"point {look(label)}")
        for label, points in sorted(groups.items())
    ]
    picture = element(
        "svg",
        element("title", map_.title),
        element("desc", f"{len(map_.labels)} images of {len([g for g in groups if g >= 0])} classes"),
        drawn,
        viewBox=f"0 0 {SIDE} {SIDE}",
        role="img",
        class_="map",
    )
    return element("figure", element("figcaption", element("strong", map_.title)), picture)


def legend(map_: Map) -> Markup | None:
    """The classes of a map, each with its sign; none if the images have none."""
    there = sorted({label for label in map_.labels.tolist() if label >= 0})
    if not there:
        return None
    entries = [_entry(label, class_name(map_.classes, label)) for label in there[:MARKED]]
    more = [element("span", f"and {len(there) - MARKED} more in grey")] if len(there) > MARKED else []
    return element("p", entries, more, class_="legend")


def look(label: int) -> str:
    """The style of a class's points."""
    return f"p{label % COLOURS}" if 0 <= label < MARKED else "other"


def shape(label: int, x: float, y: float) -> str:
    """The outline of a class's point: circle, square, triangle or diamond, of nearly one area."""
    at = f"{x:.1f} {y:.1f}"
    match label % SHAPES if 0 <= label < MARKED else 0:
        case 1:
            return f"M{at}m-2.4-2.4h4.8v4.8h-4.8z"
        case 2:
            return f"M{at}m0-3.4l3.2 5.6h-6.4z"
        case 3:
            return f"M{at}m0-3.5l3.5 3.5-3.5 3.5-3.5-3.5z"
    return f"M{at}m-2.7 0a2.7 2.7 0 1 0 5.4 0a2.7 2.7 0 1 0-5.4 0z"


def _placed(map_: Map) -> Iterable[tuple[float, float]]:
    """Both axes at one scale, the whole map inside the picture."""
    low, high = map_.places.amin(0), map_.places.amax(0)
    span = float((high - low).max()) or 1.0
    middle = (low + high) / 2
    scale = (SIDE - 2 * MARGIN) / span
    moved = (map_.places - middle) * scale
    return [(SIDE / 2 + x, SIDE / 2 - y) for x, y in moved.tolist()]


def _entry(label: int, name: str) -> Markup:
    sign = element("g", element("path", d=shape(label, 5, 5)), class_=f"point {look(label)}")
    return element("span", element("svg", sign, viewBox="0 0 10 10", class_="sign", aria_hidden="true"), name)
