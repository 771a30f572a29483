"""A picture as forms with places and colours: what svg, png and pdf all draw."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ..arrange.layout import WRAP, Layout, layout
from ..elements.forms import Shape, Words, moved
from ..elements.formulas import typeset_lines
from ..elements.measure import LINE, NOTE, TITLE, Run
from ..elements.picture import Picture
from ..elements.theme import Theme
from ..elements.wrapping import lines
from .describing import described
from .legend import legend
from .panel_forms import Drawing

PAD = 18.0
APART = 30.0
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
    """The picture's panels, one under the other or side by side where there is room, and a legend of what they show.

    `only`: the boxes that are seen, with the lines between them; all others leave their places empty.
    """
    form = form or Form(shapes)
    pad, y, parts = form.pad, form.pad, list[Shape]()
    laid = [layout(panel, shapes=form.shapes, is_down=form.is_down, wrap=form.wrap) for panel in picture.panels]
    wide = max([form.wide, *(_width(placed) + 2 * pad for placed in laid)])
    for row in _rows(laid, form, wide - 2 * pad):
        x = (wide - sum(map(_width, row)) - APART * (len(row) - 1)) / 2 if form.wide else pad
        heads = [_head(placed.panel.title, _width(placed) if len(row) > 1 else wide - 2 * pad, form) for placed in row]
        high = max(16.0 * len(head) + 10.0 * bool(head) for head in heads)
        for placed, head in zip(row, heads, strict=True):
            for number, text in enumerate(head):
                at = x if len(row) > 1 else pad
                run = Run(text, is_bold=True)
                parts.append(Words(at, y + 12 + 16 * number, (run,), TITLE, theme.ink, "start"))
            content = Drawing(placed, theme, gradients, form.shapes, picture.focus, only).shapes()
            parts += [moved(shape, x - placed.bounds[0], y + high - placed.bounds[1]) for shape in content]
            x += _width(placed) + APART
        y += high + max(placed.bounds[3] - placed.bounds[1] for placed in row) + APART
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


def _rows(laid: list[Layout], form: Form, room: float) -> list[list[Layout]]:
    """The panels that stand side by side; on a sheet of paper, where data flows down, as many as fit."""
    rows: list[list[Layout]] = []
    for placed in laid:
        last = rows[-1] if rows else []
        wide = sum(map(_width, [*last, placed])) + APART * len(last)
        if last and form.wide and form.is_down and wide <= room:
            last.append(placed)
        else:
            rows.append([placed])
    return rows


def _width(placed: Layout) -> float:
    return placed.bounds[2] - placed.bounds[0]


def _head(title: str, wide: float, form: Form) -> list[str]:
    """The name of a panel, in lines on a sheet of paper."""
    return lines(title, wide, TITLE, is_bold=True) if form.wide else [title] if title else []


def _equations(picture: Picture, wide: float) -> list[tuple[Run, ...]]:
    """The formulas of the losses, each once, under their names where there are several."""
    losses = [box for panel in picture.panels for box in panel.boxes if box.kind == "loss" and box.formula]
    found: list[tuple[Run, ...]] = []
    for formula in dict.fromkeys(box.formula for box in losses):
        names = ", ".join(dict.fromkeys(box.title for box in losses if box.formula == formula))
        found += [(Run(names, is_bold=True),)] if len({box.formula for box in losses}) > 1 else []
        found += [runs for line in formula.split("\n") for runs in typeset_lines(line, wide, NOTE)]
    return found
