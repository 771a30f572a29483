"""What holds for every laid-out picture, each rule as a list of what breaks it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise, product
from typing import Any

from sslgraph.drawing import Panel, layout
from sslgraph.drawing.arrange.layout import Layout
from sslgraph.drawing.elements.place import Point

Rect = tuple[float, float, float, float]


def broken(panel: Panel, **form: Any) -> list[str]:
    """Everything that a panel's layout breaks; `form`: how it is laid out."""
    placed = layout(panel, **form)
    rules = (overlaps, through, outside, columns, backwards, covered, loose, coincide, foreign)
    return [f"{rule.__name__}: {fault}" for rule in rules for fault in rule(placed)]


def overlaps(placed: Layout) -> Iterator[str]:
    """No two boxes overlap, with what stands above and below them."""
    rooms = {name: place.room for name, place in placed.places.items()}
    yield from (f"{a} and {b}" for (a, one), (b, other) in combinations(rooms.items(), 2) if meet(one, other))


def through(placed: Layout) -> Iterator[str]:
    """No line runs through a box."""
    for number, points in placed.lines.items():
        for (x0, y0), (x1, y1) in pairwise(points):
            piece = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
            for name, p in placed.places.items():
                if meet(piece, (p.left + 1, p.top + 1, p.right - 1, p.bottom - 1)) and not is_slant(
                    placed, number, name
                ):
                    yield f"{said(placed, number)} through {name}"


def is_slant(placed: Layout, number: int, name: str) -> bool:
    """Whether a relation ends on the slanted side of a trapezoid, which lies inside its rectangle."""
    edge = placed.panel.edges[number]
    return edge.kind != "data" and name in (edge.source, edge.target)


def outside(placed: Layout) -> Iterator[str]:
    """Everything lies within the bounds."""
    left, top, right, bottom = placed.bounds
    for number, points in placed.lines.items():
        if any(not (left <= x <= right and top <= y <= bottom) for x, y in points):
            yield said(placed, number)
    for name, p in placed.places.items():
        if not (left <= p.left and p.right <= right and top <= p.top and p.bottom <= bottom):
            yield name


def columns(placed: Layout) -> Iterator[str]:
    """A net and its slow copy stand in one column, the net above; a folded branch has no single column to share."""
    folded = {box.id for box in placed.panel.boxes if box.kind == "fold"}
    for number, edge in enumerate(placed.panel.edges):
        one, other = placed.places[edge.source], placed.places[edge.target]
        if folded & {edge.source, edge.target}:
            continue
        along, across = (one.y - other.y, one.x - other.x) if placed.is_down else (one.x - other.x, one.y - other.y)
        if edge.kind == "ema" and (along != 0 or across >= 0):
            yield said(placed, number)


def backwards(placed: Layout) -> Iterator[str]:
    """Data flows from left to right or down, and no line turns back."""
    for number, points in placed.lines.items():
        way = [point[placed.is_down] for point in points]
        if placed.panel.edges[number].kind == "data" and way != sorted(way):
            yield said(placed, number)


def covered(placed: Layout) -> Iterator[str]:
    """No words lie on other words or on a box."""
    rects = {}
    for number, label in enumerate(placed.labels):
        half = label.width / 2
        if placed.is_down:
            left, top, right, bottom = label.room
            rects[f"label {number}"] = (left, top + 3, right, bottom - 3)
        elif label.owner:
            rects[f"label {number}"] = (label.x - half, label.y - 5, label.x + half, label.y + 5)
        elif label.above:
            rects[f"label {number}"] = (label.x - half, label.y - 13, label.x + half, label.y - 4)
        if label.kind == "data" and label.below and not label.is_row:
            rects[f"label {number}, below"] = (label.x - half, label.low + 4, label.x + half, label.low + 12)
    yield from (f"{a} on {b}" for (a, one), (b, other) in combinations(rects.items(), 2) if meet(one, other))
    for name, p in placed.places.items():
        body = (p.left, p.top, p.right, p.bottom)
        yield from (f"{label} on {name}" for label, rect in rects.items() if meet(rect, body))


def loose(placed: Layout) -> Iterator[str]:
    """Every line starts and ends at its boxes."""
    for number, points in placed.lines.items():
        edge = placed.panel.edges[number]
        for name, (x, y) in ((edge.source, points[0]), (edge.target, points[-1])):
            p = placed.places[name]
            if not (p.left - 0.1 <= x <= p.right + 0.1 and p.top - 0.1 <= y <= p.bottom + 0.1):
                yield f"{said(placed, number)} misses {name}"


def coincide(placed: Layout) -> Iterator[str]:
    """No two relations of different kinds, or of different nets, run on top of each other."""
    edges = placed.panel.edges
    part = {box.id: box.part or box.id for box in placed.panel.boxes}

    def is_told_apart(one: int, other: int) -> bool:
        return edges[one].kind != edges[other].kind or part[edges[one].source] != part[edges[other].source]

    pieces = [
        (number, a, b) for number, points in placed.lines.items() if edges[number].kind != "data"
        for a, b in pairwise(points)
    ]  # fmt: skip
    for (one, a, b), (other, c, d) in combinations(pieces, 2):
        for along in (0, 1):
            level = 1 - along
            is_one = max(p[level] for p in (a, b, c, d)) - min(p[level] for p in (a, b, c, d)) < 2
            shared = min(max(a[along], b[along]), max(c[along], d[along])) - max(
                min(a[along], b[along]), min(c[along], d[along])
            )
            if is_one and shared > 12 and is_told_apart(one, other):
                yield f"{said(placed, one)} on {said(placed, other)}"


def foreign(placed: Layout) -> Iterator[str]:
    """No net stands on the ground of other nets."""
    nets = {box.id for box in placed.panel.boxes if box.weights != "none"}
    for ground in placed.grounds:
        room = (ground.left, ground.top, ground.right, ground.bottom)
        for name in sorted(nets - set(ground.boxes)):
            p = placed.places[name]
            if meet(room, (p.left, p.top, p.right, p.bottom)):
                yield f"{name} on the ground of {', '.join(ground.boxes)}"


def meet(one: Rect, other: Rect) -> bool:
    """Whether two rectangles share more than an edge."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def crossed(one: list[Point], other: list[Point]) -> bool:
    """Whether two lines cross, away from the ends of their pieces."""
    for (a, b), (c, d) in product(pairwise(one), pairwise(other)):
        if (a[0] == b[0]) != (c[0] == d[0]):
            (x, top), (_, bottom) = sorted((a, b) if a[0] == b[0] else (c, d))
            (left, y), (right, _) = sorted((c, d) if a[0] == b[0] else (a, b))
            if left + 1 < x < right - 1 and top + 1 < y < bottom - 1:
                return True
    return False


def said(placed: Layout, number: int) -> str:
    """A line in words."""
    edge = placed.panel.edges[number]
    return f"{edge.kind} {edge.source} -> {edge.target}"
