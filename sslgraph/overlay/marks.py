"""The drawing of two methods as one: what stayed is pale; +, − and ≠ stand at what came, went and changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from sslgraph.diff import Account
from sslgraph.drawing import Scene, scene
from sslgraph.drawing.elements.forms import Circle, Group, Path, Shape, Style, Words, moved, points_of, rectangle
from sslgraph.drawing.elements.measure import NOTE, Run, filled, width
from sslgraph.drawing.elements.theme import THEMES, Theme

from .union import State, Union

PALE, PALE_LINE, LINE = 0.35, 0.6, 17.0
SIGNS: dict[State, str] = {"added": "+", "removed": "−", "changed": "≠"}
SAID: dict[State, str] = {"added": "new", "removed": "gone", "changed": "changed"}
TITLE = 16.0
DOTS = (2.0, 3.0)


@dataclass(frozen=True)
class Marks:
    """The colours of what came, went and changed, and of a chip."""

    added: str
    removed: str
    changed: str
    chip: str
    chip_ink: str

    def colour(self, state: State) -> str:
        """The colour of a state that is not `same`."""
        return {"added": self.added, "removed": self.removed}.get(state, self.changed)


MARKS = {
    "light": Marks("#007F5C", "#C43B12", "#8A6D00", "#FFF3B8", "#1B2733"),
    "dark": Marks("#35CFA0", "#FF8A5C", "#F0D050", "#4A3F10", "#F5EFD5"),
}


def overlay(made: Union, account: Account, theme: Theme | str = "light", marks: Marks | None = None) -> Scene:
    """The scene of two methods as one, with its headline above and the key to its signs below.

    `marks` are the colours of the signs; those of the theme's name if left out.
    """
    found = THEMES[theme] if isinstance(theme, str) else theme
    colours = marks or MARKS[found.name]
    drawn = scene(made.picture, found, with_legend=False)
    work = _Marking(made, found, colours)
    shapes = [shape for part in drawn.shapes for shape in work.marked(part)]
    key, wide = _key(found, colours)
    title = made.picture.title
    sheet = max(drawn.width, wide + 36, width(title, TITLE, is_bold=True) + 36)
    pieces = (f"{word} " for word in account.headline.split())
    lines = [line.rstrip() for line in filled(pieces, lambda line: width(line.rstrip(), 12.0) <= sheet - 36)]
    top = 34.0 + LINE * len(lines)
    words: list[Shape] = [Words(18, 30, (Run(title, is_bold=True),), TITLE, found.ink, "start")]
    words += [Words(18, 50 + LINE * i, (Run(line),), 12.0, found.muted, "start") for i, line in enumerate(lines)]
    body = [moved(shape, 0, top) for shape in shapes]
    foot = moved(key, 18, top + drawn.height + 4)
    return Scene((*words, *body, foot), sheet, top + drawn.height + 24, f"{title}: {account.headline}", found)


class _Marking:
    """Restyles the groups of a scene by their states."""

    def __init__(self, made: Union, theme: Theme, marks: Marks) -> None:
        self.made, self.theme, self.marks = made, theme, marks
        self.lines = {(f"{source}>{target}", kind): state for (source, target, kind), state in made.lines.items()}

    def marked(self, shape: Shape) -> Iterator[Shape]:
        """What a form of the picture becomes."""
        if not isinstance(shape, Group):
            yield shape
        elif shape.role == "box":
            yield from self._box(shape)
        elif shape.role == "edge":
            yield from self._edge(shape)
        elif shape.role == "stop":
            state = self.lines.get((shape.name, "data"), "same")
            yield self._stop(shape) if state == "removed" else replace(shape, opacity=0.7 if state == "same" else 1.0)
        elif shape.role == "label":
            yield self._label(shape)
        else:
            yield replace(shape, opacity=0.7) if shape.role == "frame" else shape

    def _box(self, group: Group) -> Iterator[Shape]:
        state = self.made.boxes.get(group.name, "same")
        if state == "same":
            pale = tuple(_pale(part, self.theme) for part in group.parts)
            yield replace(group, parts=pale, kinds=(*group.kinds, "same"))
            return
        left, top, _, _ = _bounds(group.parts[0])
        colour = self.marks.colour(state)
        parts = list(group.parts)
        if state == "removed":
            parts = [_recoloured(part, colour, dash=DOTS, fill="none") for part in parts]
        elif state == "added" and isinstance(parts[0], Path):
            parts[0] = replace(parts[0], stroke=colour, width=3.0)
        parts = [chip for part in parts for chip in self._chipped(part, self.made.chips.get(group.name, ()))]
        words = f"{SAID[state]}: {group.words}"
        yield replace(group, parts=tuple(parts), kinds=(*group.kinds, state), words=words)
        is_under = any(isinstance(part, Words) and part.y < top for part in group.parts)  # chips stand above the box
        yield self._badge(*((left, top + 13) if is_under else (left + 2, top + 1)), state)

    def _chipped(self, shape: Shape, chips: tuple[str, ...]) -> list[Shape]:
        text = "".join(run.text for run in shape.runs) if isinstance(shape, Words) else ""
        if not isinstance(shape, Words) or text not in chips:
            return [shape]
        half, style = width(text, shape.size) / 2 + 6, Style(fill=self.marks.chip, stroke=self.marks.changed, width=0.9)
        ground = rectangle(shape.x - half, shape.y - 10, shape.x + half, shape.y + 3.5, 6.5, **style)
        return [ground, replace(shape, fill=self.marks.chip_ink)]

    def _edge(self, group: Group) -> Iterator[Shape]:
        state = self.made.state(group.name, group.kinds[0])
        if state == "same":
            yield replace(group, opacity=PALE_LINE, kinds=(*group.kinds, "same"))
            return
        colour = self.marks.colour(state)
        parts = self._gone(group).parts if state == "removed" else group.parts
        if state == "added":
            parts = tuple(_recoloured(part, colour, keep=self.theme.ground) for part in parts)
        yield replace(group, parts=parts, kinds=(*group.kinds, state))
        ends = {self.made.boxes.get(end) for end in group.name.split(">")}
        if state not in ends:  # a line to something new is new: the sign stands there
            yield self._badge(*_along(group.parts[0], 0.5 if group.kinds[0] == "data" else 0.3), state)

    def _gone(self, group: Group) -> Group:
        """A line that went: thin, dotted, without the gap of a double line."""
        parts = [p for p in group.parts if not (isinstance(p, Path) and p.stroke == self.theme.ground)]
        thin = [replace(p, width=min(p.width, 1.8)) if isinstance(p, Path) else p for p in parts]
        return replace(group, parts=tuple(_recoloured(part, self.marks.removed, dash=DOTS) for part in thin))

    def _stop(self, group: Group) -> Group:
        """A stop-gradient that went: its bars stay whole, and so does the gap that they stand in."""
        gap, *bars = group.parts
        return replace(group, parts=(gap, *(_recoloured(part, self.marks.removed) for part in bars)))

    def _label(self, group: Group) -> Group:
        """The words of relations take the colour of their lines; names of tensors grow paler."""
        words = next((part for part in group.parts if isinstance(part, Words)), None)
        kinds = {self.theme.ema.line: "ema", self.theme.memory.line: "write", self.theme.trained.line: "same"}
        kind = kinds.get(words.fill) if words else None
        states = {state for (_, which), state in self.lines.items() if which == kind}
        if kind is None or len(states) != 1 or states == {"same"}:
            return replace(group, parts=tuple(_pale(part, self.theme) for part in group.parts))
        colour = self.marks.colour(states.pop())
        return replace(group, parts=tuple(replace(p, fill=colour) if isinstance(p, Words) else p for p in group.parts))

    def _badge(self, x: float, y: float, state: State) -> Group:
        colour = self.marks.colour(state)
        sign = Words(x, y + 4.2, (Run(SIGNS[state], is_bold=True),), 12.0, self.theme.ground)
        return Group((Circle(x, y, 8.0, colour, self.theme.ground, 1.2), sign), "badge", kinds=(state,))


def _recoloured(
    shape: Shape, colour: str, *, dash: tuple[float, ...] | None = None, fill: str = "", keep: str = ""
) -> Shape:
    """A form in one colour; what is drawn in the colour `keep` stays so (the gap in a double line)."""
    match shape:
        case Path():
            line = colour if shape.stroke not in ("none", keep) else shape.stroke
            inner = (fill or colour) if shape.fill != "none" and shape.stroke == "none" else fill or shape.fill
            dashed = dash if dash is not None and shape.stroke != "none" else shape.dash
            return replace(shape, stroke=line, fill=inner, dash=dashed)
        case Words():
            return replace(shape, fill=colour)
        case Circle():
            return replace(shape, stroke=colour if shape.stroke != "none" else "none")
    return replace(
        shape, parts=tuple(_recoloured(part, colour, dash=dash, fill=fill, keep=keep) for part in shape.parts)
    )


def _pale(shape: Shape, theme: Theme) -> Shape:
    """A form that stayed: paler, but its words keep their contrast; white ones on a loss turn dark with its ground."""
    if isinstance(shape, Words):
        return replace(shape, fill=theme.ink if shape.fill == theme.loss.ink else theme.muted)
    return Group((shape,), opacity=PALE)


def _points(shape: Shape) -> Iterator[tuple[float, float]]:
    match shape:
        case Path():
            for _, numbers in shape.commands:
                yield from points_of(numbers)
        case Circle(x, y, radius):
            yield from ((x - radius, y - radius), (x + radius, y + radius))
        case Words():
            yield shape.x, shape.y
        case Group(clip=(left, top, side, _)):
            yield from ((left, top), (left + side, top + side))
        case Group():
            for part in shape.parts:
                yield from _points(part)


def _bounds(shape: Shape) -> tuple[float, float, float, float]:
    xs, ys = zip(*_points(shape), strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _along(shape: Shape, part: float) -> tuple[float, float]:
    """A point on the longest straight piece of a line."""
    pieces = pairwise(_points(shape))
    (x0, y0), (x1, y1) = max(pieces, key=lambda piece: abs(piece[1][0] - piece[0][0]) + abs(piece[1][1] - piece[0][1]))
    return x0 + (x1 - x0) * part, y0 + (y1 - y0) * part


def _key(theme: Theme, marks: Marks) -> tuple[Group, float]:
    """What the signs mean, in a row, and how wide it is."""
    parts: list[Shape] = []
    x = 8.0
    for state, text in SAID.items():
        sign = Words(x, 4.2, (Run(SIGNS[state], is_bold=True),), 12.0, theme.ground)
        parts += [Circle(x, 0, 8.0, marks.colour(state)), sign]
        parts.append(Words(x + 14, 4, (Run(text),), NOTE, theme.muted, "start"))
        x += 34 + width(text, NOTE)
    parts.append(Words(x, 4, (Run("pale: in both"),), NOTE, theme.muted, "start"))
    return Group(tuple(parts), "legend"), x + width("pale: in both", NOTE)
