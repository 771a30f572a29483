"""One panel as forms: its frames, lines, boxes and words at their places; and a picture in sentences."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from ..arrange.labels import Ground
from ..arrange.layout import Layout
from ..elements.forms import Group, Path, Shape, Words, rectangle, rounded
from ..elements.measure import NAME, Run
from ..elements.picture import Box, Edge, Picture, players
from ..elements.place import Point
from ..elements.theme import Theme
from ..figure.said import strong
from .at_lines import arrow, ema_line, shorter, stop, worded, write_line
from .boxes import drawn

HOW = {"gradient": "gradient flows back", "none": "no gradient", "input": "input data"}
PALE = 0.3  # opacity of what is not in focus


class Drawing:
    """One panel's forms: frames first, then lines, boxes and words."""

    def __init__(
        self, placed: Layout, theme: Theme, gradients: bool, shapes: bool, focus: tuple[str, ...],
        only: Collection[str] | None,
    ) -> None:  # fmt: skip
        self.placed, self.theme, self.gradients, self.with_shapes = placed, theme, gradients, shapes
        self.panel = placed.panel
        self.players = players(self.panel)
        self.strong = strong(self.panel, focus) if focus else {box.id for box in self.panel.boxes}
        # What stands for others, such as a folded branch or a link of a cut line, is seen with the first of them.
        boxes = [box for box in self.panel.boxes if only is None or {box.id, *box.members} & set(only)]
        self.seen = {box.id for box in boxes}

    def _is_seen(self, number: int) -> bool:
        """Whether both ends of a line are seen."""
        edge = self.panel.edges[number]
        return {edge.source, edge.target} <= self.seen

    def shapes(self) -> list[Shape]:
        """Everything that is seen, in the order in which it lies on each other."""
        grounds = [ground for ground in self.placed.grounds if self.seen & set(ground.boxes)]
        parts: list[Shape] = [self._frame(ground) for ground in grounds]
        titles = [self._title(ground) for ground in grounds]
        order = sorted(
            filter(self._is_seen, self.placed.lines),
            key=lambda n: (self.panel.edges[n].kind == "data", self.panel.edges[n].gradient == "gradient", n),
        )
        parts += [self._line(self.panel.edges[n], self.placed.lines[n]) for n in order]
        parts += titles  # over the lines, which go on behind them
        views = [box.id for box in self.panel.boxes if box.kind == "view"]
        first = {box.part: box.id for box in self.panel.boxes if box.kind == "view"}
        for box in (box for box in self.panel.boxes if box.id in self.seen):
            shown = first.get(box.crop_of, box.id)
            crop = views.index(shown) if shown in views else 0
            place, badge = self.placed.places[box.id], self._badge(box)
            group = drawn(box, place, self.theme, crop=crop, shapes=self.with_shapes, badge=badge)
            parts.append(group if box.id in self.strong else replace(group, opacity=PALE))
        stops = {point: n for n, point in sorted(self.placed.stops.items(), reverse=True) if self._is_seen(n)}
        parts += [stop(self.placed, point, n, self.theme) for point, n in sorted(stops.items(), key=lambda one: one[1])]
        parts += [worded(label, self.theme) for label in self.placed.labels if self._is_seen(label.edge)]
        return parts

    def _badge(self, box: Box) -> str:
        """The colour of the badge of a net that a gradient trains; "" for none."""
        found = [n for n, player in enumerate(self.players) if set(box.trained_by) & set(player)]
        return self.theme.flows[found[0] % len(self.theme.flows)] if self.gradients and found else ""

    def _frame(self, ground: Ground) -> Group:
        theme = self.theme
        corners = (ground.left, ground.top, ground.right, ground.bottom)
        body = rectangle(*corners, 12.0, fill=theme.frame, stroke=theme.faint, width=1.2)
        return Group((body,), "frame", " ".join(ground.boxes), ground.title)

    def _title(self, ground: Ground) -> Group:
        """The name of a frame."""
        theme, height = self.theme, ground.bottom - 9 if ground.is_low else ground.top + 17
        words = ground.title.split() if self.placed.is_down else [ground.title]
        left = ground.left + (6 if self.placed.is_down else 12)
        named = [
            Words(left, height + 13 * i, (Run(text),), NAME, theme.muted, "start", halo=theme.frame)
            for i, text in enumerate(words)
        ]
        return Group(tuple(named), "label")

    def _line(self, edge: Edge, points: list[Point]) -> Group:
        parts = self._data(edge, points) if edge.kind == "data" else self._relation(edge, points)
        kinds = (edge.kind, edge.gradient) if edge.kind == "data" else (edge.kind,)
        opacity = 1.0 if {edge.source, edge.target} <= self.strong else PALE
        return Group(tuple(parts), "edge", f"{edge.source}>{edge.target}", _said(edge), kinds, opacity=opacity)

    def _data(self, edge: Edge, points: list[Point]) -> list[Shape]:
        theme, carries = self.theme, edge.gradient == "gradient"
        if self.gradients and carries:
            return self._backward(edge, points)
        colour = theme.ink if carries else theme.quiet
        dash = (5.0, 3.5) if edge.gradient == "none" else ()
        line = Path(rounded(shorter(points, 4)), stroke=colour, width=1.6 if carries else 1.4, dash=dash)
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

    def _relation(self, edge: Edge, points: list[Point]) -> list[Shape]:
        theme, line = self.theme, rounded(points)
        if edge.kind == "same":
            return [Path(line, stroke=theme.trained.line, width=5.0), Path(line, stroke=theme.ground, width=2.0)]
        shaft = (ema_line if edge.kind == "ema" else write_line)(rounded(shorter(points, 2)), theme)
        return [shaft, arrow(points, shaft.stroke, is_open=True)]


def _said(edge: Edge) -> str:
    ends = f"{edge.source} to {edge.target}"
    how = HOW[edge.gradient] if edge.kind == "data" else edge.label
    stopped = "stop-gradient" if edge.stop else ""
    return "; ".join(filter(None, (ends, edge.name, edge.port, edge.shape, how, stopped)))


def described(picture: Picture) -> str:
    """What each net, memory and loss reads, and which net follows which: for whoever can't see it."""
    sentences = []
    for panel in picture.panels:
        name = {box.id: " ".join(dict.fromkeys(filter(None, (box.title, box.symbol)))) or box.id for box in panel.boxes}
        for box in panel.boxes:
            reads = [edge for edge in panel.edges if edge.target == box.id and edge.kind != "same"]
            if reads and box.kind not in ("view", "augmentation"):
                sentences.append(f"{name[box.id]}: {', '.join(_read(edge, name[edge.source]) for edge in reads)}.")
    return " ".join(sentences)


def _read(edge: Edge, source: str) -> str:
    if edge.kind != "data":
        return f"{edge.label} of {source}" if edge.kind == "ema" else f"{edge.label} from {source}"
    return f"reads {source} ({'stop-gradient' if edge.stop else HOW[edge.gradient]})"
