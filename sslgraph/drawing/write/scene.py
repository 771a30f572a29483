"""A picture as forms with places and colours: what svg, png and pdf all draw."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..arrange.labels import Label
from ..arrange.layout import Ground, Layout, layout
from ..elements.forms import Group, Path, Shape, Words, moved, polygon, rectangle, rounded
from ..elements.measure import NAME, NOTE, SHAPE, TITLE, Run, runs_width
from ..elements.picture import Box, Edge, Picture, players
from ..elements.place import Point
from ..elements.theme import Theme
from .boxes import drawn
from .legend import legend

PAD = 18.0
APART = 30.0


@dataclass(frozen=True)
class Scene:
    """Forms on a sheet of this width and height."""

    shapes: tuple[Shape, ...]
    width: float
    height: float
    title: str
    theme: Theme


def scene(
    picture: Picture, theme: Theme, *, gradients: bool = False, shapes: bool = True, with_legend: bool = True
) -> Scene:
    """The picture's panels, one under the other, and a legend of what occurs in them."""
    parts: list[Shape] = []
    y, right = PAD, 0.0
    for panel in picture.panels:
        placed = layout(panel, shapes=shapes)
        left, top, far, bottom = placed.bounds
        if panel.title:
            parts.append(Words(PAD, y + 12, (Run(panel.title, is_bold=True),), TITLE, theme.ink, "start"))
            y += 26
        content = _Drawing(placed, theme, gradients, shapes).shapes()
        parts += [moved(shape, PAD - left, y - top) for shape in content]
        y += bottom - top + APART
        right = max(right, far - left)
    y -= APART
    wide = right + 2 * PAD
    if with_legend:
        key, wide, high = legend(picture, theme, PAD, y + 20, wide, gradients)
        parts.append(key)
        y += 20 + high
    return Scene(tuple(parts), wide, y + PAD, picture.title, theme)


class _Drawing:
    """One panel's forms: frames first, then lines, boxes and words."""

    def __init__(self, placed: Layout, theme: Theme, gradients: bool, shapes: bool) -> None:
        self.placed, self.theme, self.gradients, self.with_shapes = placed, theme, gradients, shapes
        self.panel = placed.panel
        self.players = players(self.panel)

    def shapes(self) -> list[Shape]:
        parts: list[Shape] = [self._frame(ground) for ground in self.placed.grounds]
        order = sorted(
            self.placed.lines,
            key=lambda n: (self.panel.edges[n].kind == "data", self.panel.edges[n].gradient == "gradient", n),
        )
        parts += [self._line(self.panel.edges[n], self.placed.lines[n]) for n in order]
        views = [box.id for box in self.panel.boxes if box.kind == "view"]
        for box in self.panel.boxes:
            crop = views.index(box.id) if box.id in views else 0
            parts.append(
                drawn(
                    box,
                    self.placed.places[box.id],
                    self.theme,
                    crop=crop,
                    shapes=self.with_shapes,
                    badge=self._badge(box),
                )
            )
        parts += [self._stop(point, n) for n, point in sorted(self.placed.stops.items())]
        parts += [self._label(label) for label in self.placed.labels]
        return parts

    def _badge(self, box: Box) -> str:
        """The colour of the badge of a net that a gradient trains; "" for none."""
        found = [n for n, player in enumerate(self.players) if set(box.trained_by) & set(player)]
        return self.theme.flows[found[0] % len(self.theme.flows)] if self.gradients and found else ""

    def _frame(self, ground: Ground) -> Group:
        theme, height = self.theme, ground.bottom - 9 if ground.is_low else ground.top + 17
        body = rectangle(
            ground.left, ground.top, ground.right, ground.bottom, 12.0, fill=theme.frame, stroke=theme.faint, width=1.2
        )
        words = Words(ground.left + 12, height, (Run(ground.title),), NAME, theme.muted, "start")
        return Group((body, words), "frame", " ".join(ground.boxes), ground.title)

    def _line(self, edge: Edge, points: list[Point]) -> Group:
        relation = {"ema": self._ema, "write": self._write, "same": self._same}
        parts = self._data(edge, points) if edge.kind == "data" else relation[edge.kind](points)
        kinds = (edge.kind, edge.gradient) if edge.kind == "data" else (edge.kind,)
        return Group(tuple(parts), "edge", f"{edge.source}>{edge.target}", _said(edge), kinds)

    def _data(self, edge: Edge, points: list[Point]) -> list[Shape]:
        theme, carries = self.theme, edge.gradient == "gradient"
        if self.gradients and carries:
            return self._backward(edge, points)
        colour = theme.faint if self.gradients else theme.ink if carries else theme.quiet
        dash = (5.0, 3.5) if edge.gradient == "none" else ()
        line = Path(
            rounded([*points[:-1], (points[-1][0] - 4, points[-1][1])]),
            stroke=colour,
            width=1.6 if carries else 1.4,
            dash=dash,
        )
        return [line, arrow(points, colour)]

    def _backward(self, edge: Edge, points: list[Point]) -> list[Shape]:
        """Thick arrows from the losses back; where the gradients of two players run, one beside the other."""
        running = [number for number, player in enumerate(self.players) if set(edge.losses) & set(player)]
        parts: list[Shape] = []
        for place, number in enumerate(running):
            colour = self.theme.flows[number % len(self.theme.flows)]
            shift = (place - (len(running) - 1) / 2) * 5
            back = [(x, y + shift) for x, y in reversed(points)]
            back[-1] = (back[-1][0] + 1, back[-1][1])
            shaft = [*back[:-1], (back[-1][0] + 6, back[-1][1])]
            parts += [Path(rounded(shaft), stroke=colour, width=3.0), arrow(back, colour, size=9)]
        return parts

    def _ema(self, points: list[Point]) -> list[Shape]:
        colour = self.theme.ema.line
        return [
            Path(rounded(_shorter(points, 2)), stroke=colour, width=2.0, dash=(0.5, 4.5), is_round=True),
            arrow(points, colour, is_open=True),
        ]

    def _write(self, points: list[Point]) -> list[Shape]:
        colour = self.theme.memory.line
        return [
            Path(rounded(_shorter(points, 2)), stroke=colour, width=1.6, dash=(7.0, 3.0, 1.5, 3.0)),
            arrow(points, colour, is_open=True),
        ]

    def _same(self, points: list[Point]) -> list[Shape]:
        line = rounded(points)
        return [Path(line, stroke=self.theme.trained.line, width=5.0), Path(line, stroke=self.theme.ground, width=2.0)]

    def _stop(self, point: Point, number: int) -> Group:
        x, y = point
        theme, edge = self.theme, self.panel.edges[number]
        heights = [
            self.placed.lines[n][0][1]
            for n, other in enumerate(self.panel.edges)
            if n in self.placed.lines and other.kind == "data" and other.source == edge.source
        ]
        above = any(height < y - 1 for height in heights)
        is_between = above and any(height > y + 1 for height in heights)  # no room for words: the legend has them
        gap = rectangle(x - 7, y - 4, x + 7, y + 4, 0.0, fill=theme.ground)
        bars = Path(
            (("M", (x - 6, y + 7)), ("L", (x - 1, y - 7)), ("M", (x + 1, y + 7)), ("L", (x + 6, y - 7))),
            stroke=theme.ink,
            width=2.2,
            is_round=True,
        )
        words = Words(
            x, y + 20 if above else y - 11, (Run("stop-grad", is_bold=True),), NOTE, theme.ink, halo=theme.ground
        )
        return Group(
            (gap, bars) if is_between else (gap, bars, words), "stop", f"{edge.source}>{edge.target}", "stop-gradient"
        )

    def _label(self, label: Label) -> Group:
        theme = self.theme
        if label.kind != "data":
            colour = {"ema": theme.ema.line, "write": theme.memory.line, "same": theme.trained.line}[label.kind]
            height = label.y + 4 if label.owner else label.y - 5
            return Group((Words(label.x, height, label.above, NOTE, colour, halo=theme.ground),), "label")
        if label.is_row:
            left = label.x - label.width / 2
            name = Words(left, label.y - 4, label.above, NAME, theme.ink, "start", halo=theme.ground)
            shape = Words(
                left + runs_width(label.above, NAME) + 6,
                label.y - 4,
                (Run(label.below),),
                SHAPE,
                theme.muted,
                "start",
                halo=theme.ground,
            )
            return Group((name, shape), "label")
        parts = []
        if label.above:
            parts.append(Words(label.x, label.y - 5, label.above, NAME, theme.ink))
        if label.below:
            parts.append(Words(label.x, label.low + 12, (Run(label.below),), SHAPE, theme.muted))
        return Group(tuple(parts), "label")


def arrow(points: list[Point], colour: str, *, is_open: bool = False, size: float = 7.0) -> Path:
    """The head of an arrow at a line's end."""
    (x0, y0), (x1, y1) = points[-2], points[-1]
    long = math.hypot(x1 - x0, y1 - y0) or 1.0
    c, s = (x1 - x0) / long, (y1 - y0) / long
    sides = [
        (x1 - size * c + size * 0.48 * s, y1 - size * s - size * 0.48 * c),
        (x1, y1),
        (x1 - size * c - size * 0.48 * s, y1 - size * s + size * 0.48 * c),
    ]
    if is_open:
        return Path((("M", sides[0]), ("L", sides[1]), ("L", sides[2])), stroke=colour, width=1.8)
    return polygon(*sides, fill=colour)


def _shorter(points: list[Point], by: float) -> list[Point]:
    (x0, y0), (x1, y1) = points[-2], points[-1]
    long = math.hypot(x1 - x0, y1 - y0) or 1.0
    return [*points[:-1], (x1 - (x1 - x0) / long * by, y1 - (y1 - y0) / long * by)]


def _said(edge: Edge) -> str:
    how = (
        {"gradient": "gradient flows back", "none": "no gradient", "input": "input data"}[edge.gradient]
        if edge.kind == "data"
        else edge.label
    )
    return "; ".join(
        filter(
            None,
            (
                f"{edge.source} to {edge.target}",
                edge.name,
                edge.port,
                edge.shape,
                how,
                "stop-gradient" if edge.stop else "",
            ),
        )
    )
