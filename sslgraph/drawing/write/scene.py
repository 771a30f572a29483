"""A picture as forms with places and colours: what svg, png and pdf all draw."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from ..arrange.layout import WRAP, Layout, layout
from ..arrange.room import Ground
from ..elements.forms import Group, Path, Shape, Words, moved, rectangle, rounded
from ..elements.formulas import typeset_lines
from ..elements.measure import LINE, NAME, NOTE, TITLE, Run
from ..elements.picture import Box, Edge, Picture, players
from ..elements.place import Point
from ..elements.theme import Theme
from ..elements.wrapping import lines
from ..figure.said import strong
from .at_lines import arrow, shorter, worded
from .boxes import drawn
from .describing import described
from .legend import legend
from .stops import stop

PAD = 18.0
APART = 30.0
PALE = 0.3  # opacity of what is not in focus
POINT = 0.75  # points in a unit of a picture that is for no sheet of paper


@dataclass(frozen=True)
class Scene:
    """Forms on a sheet of this width and height."""

    shapes: tuple[Shape, ...]
    width: float
    height: float
    title: str
    theme: Theme
    point: float = POINT  # points on paper in a unit
    is_transparent: bool = False  # whether what lies below shows through
    words: str = ""  # what it shows, for whoever can't see it


@dataclass(frozen=True)
class Form:
    """How a picture is laid out; `wide`: of a sheet as wide as this, in the middle of which it stands."""

    shapes: bool = True
    is_down: bool = False
    wrap: float = WRAP
    wide: float = 0.0

    @property
    def pad(self) -> float:
        """From the sheet's sides to the picture."""
        return 2.0 if self.wide else PAD


def scene(
    picture: Picture,
    theme: Theme,
    *,
    gradients: bool = False,
    shapes: bool = True,
    with_legend: bool = True,
    form: Form | None = None,
    only: Collection[str] | None = None,
) -> Scene:
    """The picture's panels, one under the other, and a legend of what occurs in them.

    `only`: the boxes that are seen, with the lines between them; all others leave their places empty.
    """
    form = form or Form(shapes)
    pad, y, parts = form.pad, form.pad, list[Shape]()
    laid = [layout(panel, shapes=form.shapes, is_down=form.is_down, wrap=form.wrap) for panel in picture.panels]
    wide = max([form.wide, *(placed.bounds[2] - placed.bounds[0] + 2 * pad for placed in laid)])
    for placed in laid:
        left, top, far, bottom = placed.bounds
        title = placed.panel.title
        for text in lines(title, wide - 2 * pad, TITLE, is_bold=True) if form.wide else [title] if title else []:
            parts.append(Words(pad, y + 12, (Run(text, is_bold=True),), TITLE, theme.ink, "start"))
            y += 16
        y += 10 if title else 0
        content = _Drawing(placed, theme, gradients, form.shapes, picture.focus, only).shapes()
        start = (wide - (far - left)) / 2 if form.wide else pad
        parts += [moved(shape, start - left, y - top) for shape in content]
        y += bottom - top + APART
    y -= APART
    if with_legend:
        key, wide, high = legend(picture, theme, pad, y + 20, wide, gradients)
        parts.append(key)
        y += 20 + high
    for runs in _equations(picture, wide - 2 * pad) if picture.with_equation else ():
        y += LINE + 3
        parts.append(Words(pad, y + 10, runs, NOTE, theme.ink, "start"))
    y += 10 if picture.with_equation else 0
    for text in lines(picture.caption, wide - 2 * pad, NOTE):
        y += LINE
        parts.append(Words(pad, y + 8, (Run(text),), NOTE, theme.ink, "start"))
    y += 8 if picture.caption else 0
    return Scene(tuple(parts), wide, y + pad, picture.title, theme, words=described(picture))


def _equations(picture: Picture, wide: float) -> list[tuple[Run, ...]]:
    """The formulas of the losses, each once, under their names where there are several."""
    losses = [box for panel in picture.panels for box in panel.boxes if box.kind == "loss" and box.formula]
    found: list[tuple[Run, ...]] = []
    for formula in dict.fromkeys(box.formula for box in losses):
        names = ", ".join(dict.fromkeys(box.title for box in losses if box.formula == formula))
        found += [(Run(names, is_bold=True),)] if len({box.formula for box in losses}) > 1 else []
        found += [runs for line in formula.split("\n") for runs in typeset_lines(line, wide, NOTE)]
    return found


class _Drawing:
    """One panel's forms: frames first, then lines, boxes and words."""

    def __init__(
        self, placed: Layout, theme: Theme, gradients: bool, shapes: bool, focus: tuple[str, ...],
        only: Collection[str] | None,
    ) -> None:  # fmt: skip
        self.placed, self.theme, self.gradients, self.with_shapes = placed, theme, gradients, shapes
        self.panel = placed.panel
        self.players = players(self.panel)
        self.strong = strong(self.panel, focus) if focus else {box.id for box in self.panel.boxes}
        boxes = [box.id for box in self.panel.boxes]
        self.seen = set(boxes) if only is None else set(boxes) & set(only)

    def _is_seen(self, number: int) -> bool:
        """Whether both ends of a line are seen."""
        edge = self.panel.edges[number]
        return {edge.source, edge.target} <= self.seen

    def shapes(self) -> list[Shape]:
        grounds = [ground for ground in self.placed.grounds if self.seen & set(ground.boxes)]
        parts: list[Shape] = [self._frame(ground) for ground in grounds]
        order = sorted(
            filter(self._is_seen, self.placed.lines),
            key=lambda n: (self.panel.edges[n].kind == "data", self.panel.edges[n].gradient == "gradient", n),
        )
        parts += [self._line(self.panel.edges[n], self.placed.lines[n]) for n in order]
        views = [box.id for box in self.panel.boxes if box.kind == "view"]
        for box in (box for box in self.panel.boxes if box.id in self.seen):
            crop = views.index(box.id) if box.id in views else 0
            place, badge = self.placed.places[box.id], self._badge(box)
            group = drawn(box, place, self.theme, crop=crop, shapes=self.with_shapes, badge=badge)
            parts.append(group if box.id in self.strong else replace(group, opacity=PALE))
        parts += [
            stop(self.placed, point, n, self.theme)
            for n, point in sorted(self.placed.stops.items())
            if self._is_seen(n)
        ]
        parts += [worded(label, self.theme) for label in self.placed.labels if self._is_seen(label.edge)]
        return parts

    def _badge(self, box: Box) -> str:
        """The colour of the badge of a net that a gradient trains; "" for none."""
        found = [n for n, player in enumerate(self.players) if set(box.trained_by) & set(player)]
        return self.theme.flows[found[0] % len(self.theme.flows)] if self.gradients and found else ""

    def _frame(self, ground: Ground) -> Group:
        theme, height = self.theme, ground.bottom - 9 if ground.is_low else ground.top + 17
        titles = ground.title.split() if self.placed.is_down else [ground.title]
        body = rectangle(
            ground.left, ground.top, ground.right, ground.bottom, 12.0, fill=theme.frame, stroke=theme.faint, width=1.2
        )
        left = ground.left + (6 if self.placed.is_down else 12)
        words = [
            Words(left, height + 13 * i, (Run(text),), NAME, theme.muted, "start") for i, text in enumerate(titles)
        ]
        return Group((body, *words), "frame", " ".join(ground.boxes), ground.title)

    def _line(self, edge: Edge, points: list[Point]) -> Group:
        relation = {"ema": self._ema, "write": self._write, "same": self._same}
        parts = self._data(edge, points) if edge.kind == "data" else relation[edge.kind](points)
        kinds = (edge.kind, edge.gradient) if edge.kind == "data" else (edge.kind,)
        opacity = 1.0 if {edge.source, edge.target} <= self.strong else PALE
        return Group(tuple(parts), "edge", f"{edge.source}>{edge.target}", _said(edge), kinds, opacity=opacity)

    def _data(self, edge: Edge, points: list[Point]) -> list[Shape]:
        theme, carries = self.theme, edge.gradient == "gradient"
        if self.gradients and carries:
            return self._backward(edge, points)
        colour = theme.faint if self.gradients else theme.ink if carries else theme.quiet
        dash = (5.0, 3.5) if edge.gradient == "none" else ()
        line = Path(
            rounded(shorter(points, 4)),
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
            is_down = self.placed.is_down
            back = [(x + shift * is_down, y + shift * (not is_down)) for x, y in reversed(points)]
            back[-1] = (back[-1][0] + (not is_down), back[-1][1] + is_down)
            shaft = [*back[:-1], (back[-1][0] + 6 * (not is_down), back[-1][1] + 6 * is_down)]
            parts += [Path(rounded(shaft), stroke=colour, width=3.0), arrow(back, colour, size=9)]
        return parts

    def _ema(self, points: list[Point]) -> list[Shape]:
        colour = self.theme.ema.line
        return [
            Path(rounded(shorter(points, 2)), stroke=colour, width=2.0, dash=(0.5, 4.5), is_round=True),
            arrow(points, colour, is_open=True),
        ]

    def _write(self, points: list[Point]) -> list[Shape]:
        colour = self.theme.memory.line
        return [
            Path(rounded(shorter(points, 2)), stroke=colour, width=1.6, dash=(7.0, 3.0, 1.5, 3.0)),
            arrow(points, colour, is_open=True),
        ]

    def _same(self, points: list[Point]) -> list[Shape]:
        line = rounded(points)
        return [Path(line, stroke=self.theme.trained.line, width=5.0), Path(line, stroke=self.theme.ground, width=2.0)]


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
