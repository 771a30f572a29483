"""A picture as forms with places and colours: what svg, png and pdf all draw."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ..arrange.layout import WRAP, Layout, layout
from ..arrange.packing import packed
from ..elements.forms import Shape, Words, moved
from ..elements.formulas import typeset_lines
from ..elements.measure import LINE, NOTE, TITLE, Run
from ..elements.picture import Panel, Picture
from ..elements.theme import Theme
from ..elements.wrapping import lines
from .legend import legend
from .panel_forms import Drawing, described

PAD = 18.0
APART, PIECES = 30.0, 18.0  # between panels; between the pieces of one
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
    high: float = 0.0  # of the pieces of a picture that is cut: no higher than this if they can

    @property
    def pad(self) -> float:
        """From the sheet's sides to the picture."""
        return 2.0 if self.wide else PAD

    def laid(self, panel: Panel, *, labels: bool = True) -> Layout:
        """A panel in this form."""
        return layout(panel, shapes=self.shapes, is_down=self.is_down, wrap=self.wrap, labels=labels)

    def least(self, panel: Panel) -> tuple[float, float]:
        """How wide a sheet with this panel, and how high the panel is at least: before there are words at its lines."""
        width, height = self.laid(panel, labels=False).size
        return width + 2 * self.pad, height


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
    laid = [form.laid(panel) for panel in picture.panels]
    wide = max([form.wide, *(placed.size[0] + 2 * pad for placed in laid)])
    is_cut = bool(form.wide) and not all(placed.panel.title for placed in laid)
    blocks, y = (_pieces if is_cut else _in_rows)(laid, form, wide, y)
    for placed, head, x, top in blocks:
        for number, text in enumerate(head):
            run = Run(text, is_bold=True)
            parts.append(Words(x, top + 12 + 16 * number, (run,), TITLE, theme.ink, "start"))
        content = Drawing(placed, theme, gradients, form.shapes, picture.focus, only).shapes()
        left, below = x - placed.bounds[0], top + _head_room(head) - placed.bounds[1]
        parts += [moved(shape, left, below) for shape in content]
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


Block = tuple[Layout, list[str], float, float]  # a panel with the lines of its name, and where both begin


def _in_rows(laid: list[Layout], form: Form, wide: float, y: float) -> tuple[list[Block], float]:
    """The panels one under the other, or side by side where there is room, and how far down they reach."""
    found: list[Block] = []
    for row in _rows(laid, form, wide - 2 * form.pad):
        widths = [placed.size[0] for placed in row]
        x = (wide - sum(widths) - APART * (len(row) - 1)) / 2 if form.wide else form.pad
        heads = [_head(p.panel.title, p.size[0] if len(row) > 1 else wide - 2 * form.pad, form) for p in row]
        room = max(map(_head_room, heads))
        for placed, head, width in zip(row, heads, widths, strict=True):
            found.append((placed, head, x, y + room - _head_room(head)))
            x += width + APART
        y += room + max(placed.size[1] for placed in row) + APART
    return found, y - APART


def _pieces(laid: list[Layout], form: Form, wide: float, y: float) -> tuple[list[Block], float]:
    """The pieces of panels, each as high up as there is room for it."""
    heads = [_head(placed.panel.title, placed.size[0], form) for placed in laid]
    sizes = [(p.size[0], _head_room(head) + p.size[1]) for p, head in zip(laid, heads, strict=True)]
    spots, high = packed(sizes, wide - 2 * form.pad, PIECES, form.high)
    left = (wide - max(x + width for (x, _), (width, _) in zip(spots, sizes, strict=True))) / 2
    found = [(p, head, left + x, y + top) for p, head, (x, top) in zip(laid, heads, spots, strict=True)]
    return found, y + high


def _rows(laid: list[Layout], form: Form, room: float) -> list[list[Layout]]:
    """The panels that stand side by side; on a sheet of paper, where data flows down, as many as fit."""
    rows: list[list[Layout]] = []
    for placed in laid:
        last = rows[-1] if rows else []
        wide = sum(one.size[0] for one in (*last, placed)) + APART * len(last)
        if last and form.wide and form.is_down and wide <= room:
            last.append(placed)
        else:
            rows.append([placed])
    return rows


def _head_room(head: list[str]) -> float:
    return 16.0 * len(head) + 10.0 * bool(head)


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
