"""How each kind of box looks: shape for its role, border for who changes its weights."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from ..elements.forms import Circle, Group, Path, Shape, Style, Words, pill, polygon, rectangle
from ..elements.measure import (
    CROSS,
    LINE,
    NAME,
    NOTE,
    PICTURE,
    SHAPE,
    SMALL_PICTURE,
    SUB,
    TITLE,
    TITLE_LINE,
    Run,
    title_lines,
)
from ..elements.picture import Box
from ..elements.place import Place
from ..elements.theme import Paint, Theme
from .at_lines import arrow
from .scenery import ORDER, crop_frame, landscape
from .shows import shown

DASHES = {"ema": (5.0, 3.0), "frozen": (1.6, 2.6)}
DRAFT_DASH, LINK_DASH = (9.0, 4.0), (1.5, 2.0)
CELLS = 8


def drawn(box: Box, place: Place, theme: Theme, *, crop: int, shapes: bool, badge: str) -> Group:
    """A box with everything in, on and under it."""
    if box.kind in ("image", "view"):
        parts = _picture(box, place, theme, crop, shapes)
    else:
        paint = _paint(box, theme)
        parts = [_body(box, place, paint), *_words(box, place, theme, paint)]
        if box.kind == "memory":
            parts += _slots(place, paint)
        if box.weights == "ema":
            parts += _round_arrow(box, place, theme)
        if box.is_crossed:
            parts += _crossed(place, paint)
    if badge:
        parts += _nabla(place, theme, badge)
    parts += _note(box, place, theme)
    kinds = tuple(filter(None, (box.kind, box.weights if box.weights != "none" else "")))
    return Group(tuple(parts), "box", box.id, said(box), kinds)


def said(box: Box) -> str:
    """A box in words, for whoever can't see it."""
    state = {"trained": "trained by gradient", "ema": "slow copy, no gradient", "frozen": "fixed"}.get(box.weights, "")
    name = " ".join(filter(None, (box.title or box.kind, box.symbol)))
    return "; ".join(filter(None, (name, box.sub, state, ", ".join(box.shapes), box.note.replace("\n", " "))))


def _paint(box: Box, theme: Theme) -> Paint:
    kinds = {"loss": theme.loss, "memory": theme.memory}
    paint = kinds.get(box.kind, theme.weights(box.weights))
    return Paint(theme.ground, paint.line, theme.ink) if box.is_draft else paint


def _body(box: Box, place: Place, paint: Paint) -> Path:
    left, top, right, bottom = place.left, place.top, place.right, place.bottom
    style: Style = {"fill": paint.fill, "stroke": paint.line, "width": 1.6, "dash": DASHES.get(box.weights, ())}
    style |= {"dash": DRAFT_DASH} if box.is_draft else {}
    slant = place.extent.slant
    match box.kind:
        case "encoder" if place.extent.is_down:
            return polygon((left, top), (right, top), (right - slant, bottom), (left + slant, bottom), **style)
        case "decoder" if place.extent.is_down:
            return polygon((left + slant, top), (right - slant, top), (right, bottom), (left, bottom), **style)
        case "encoder":
            return polygon((left, top), (right, top + slant), (right, bottom - slant), (left, bottom), **style)
        case "decoder":
            return polygon((left, top + slant), (right, top), (right, bottom), (left, bottom - slant), **style)
        case "link":
            style |= {"width": 0.8, "dash": LINK_DASH}
            return rectangle(left, top, right, bottom, 10.0, **style)
        case "augmentation" | "op" if place.extent.height <= 30:
            return pill(left, top, right, bottom, **style)
        case "loss":
            above, below = [((left + 10.0, y), (right - 10.0, y)) for y in (top, bottom)]
            return polygon(*above, (right, place.y), *reversed(below), (left, place.y), **style)
    radius = {"augmentation": 13.0, "op": 13.0, "memory": 5.0}.get(box.kind, 7.0)
    return rectangle(left, top, right, bottom, radius, **style)


def _words(box: Box, place: Place, theme: Theme, paint: Paint) -> list[Shape]:
    """The words in a box, and above them the picture of what it does or sees."""
    first, lines = title_lines(box), box.sub.split("\n") if box.sub else []
    if box.kind == "augmentation" and not place.extent.is_down:
        large = _large(first, place.x, place.y + 4.5, TITLE, paint.ink)
        return [*large, *_small(lines, place.x, place.bottom + 12, 13, SHAPE, theme.muted)]
    if box.kind == "link":
        return _large(first, place.x, place.y + 4, NAME, theme.ink)
    is_op = box.kind == "op"
    seen = SMALL_PICTURE + (6 if is_op else 4) if box.shows else 0.0
    middle = place.y - (9.0 if box.kind == "memory" else 0.0) + seen / 2
    top = middle + 4 - 6.5 * len(lines) if is_op else middle + 4.5 - 7.0 * len(lines)
    reach = TITLE_LINE / 2 * (len(first) - 1)  # of the large words, up and down
    below, step, over = (13, 13, 15) if is_op else (14.5, 14, 13)
    grey = theme.muted if box.kind != "loss" or box.is_draft else paint.ink
    words = _large(first, place.x, top, NAME if is_op else TITLE, paint.ink)
    words += _small(lines, place.x, top + reach + below, step, SUB, grey)
    if not seen:
        return words
    side = SMALL_PICTURE
    return [shown(place.x - side / 2, top - reach - over - side, side, box, theme), *words]


def _large(lines: list[tuple[Run, ...]], x: float, y: float, size: float, colour: str) -> list[Shape]:
    """Lines of large letters around a height."""
    top = y - TITLE_LINE / 2 * (len(lines) - 1)
    return [Words(x, top + TITLE_LINE * i, runs, size, colour) for i, runs in enumerate(lines)]


def _small(
    lines: Iterable[str], x: float, y: float, step: float, size: float, colour: str, anchor: str = "middle"
) -> list[Shape]:
    """Lines of small letters, the first one at a height."""
    return [Words(x, y + step * i, (Run(line),), size, colour, anchor) for i, line in enumerate(lines)]


def _slots(place: Place, paint: Paint) -> list[Shape]:
    """The slots of a memory, older ones paler."""
    wide, top, bottom = (place.extent.width - 20) / CELLS, place.bottom - 17, place.bottom - 7
    lefts = [place.left + 10 + i * wide for i in range(CELLS + 1)]
    pale = [round(0.85 - 0.7 * i / CELLS, 2) for i in range(CELLS)]
    return [
        rectangle(left, top, end - 2.5, bottom, 1.5, fill=paint.line, opacity=opacity)
        for (left, end), opacity in zip(pairwise(lefts), pale, strict=True)
    ]


def _round_arrow(box: Box, place: Place, theme: Theme) -> list[Shape]:
    """The mark of a slow copy: an arrow that goes round."""
    x = place.right - 3
    y = place.top + 2 + (place.extent.slant if box.kind == "encoder" and not place.extent.is_down else 0.0)
    arc = (
        ("M", (x - 2.2, y + 2.6)),
        ("C", (x - 5.2, y + 0.4, x - 3.6, y - 3.6, x, y - 3.6)),
        ("C", (x + 4.4, y - 3.6, x + 4.8, y + 2.8, x + 1.0, y + 3.5)),
    )
    head = polygon((x - 1.6, y + 3.4), (x + 2.2, y + 1.2), (x + 1.8, y + 5.4), fill=theme.ema.line)
    return [Circle(x, y, 7.5, theme.ground, theme.ema.line), Path(arc, stroke=theme.ema.line, width=1.4), head]


def _crossed(place: Place, paint: Paint) -> list[Shape]:
    """The mark of a loss that sets each view against the others: two arrows that change sides."""
    left, right = place.left + 13, place.left + 13 + CROSS - 8
    parts: list[Shape] = []
    for side in (1, -1):
        start, end = (left, place.y - 7 * side), (right, place.y + 7 * side)
        parts.append(Path((("M", start), ("L", end)), stroke=paint.ink, width=1.4))
        parts.append(arrow([start, end], paint.ink, size=5.5))
    return parts


def _nabla(place: Place, theme: Theme, colour: str) -> list[Shape]:
    """The badge of what a gradient reaches."""
    x, y = place.left + 3, place.top + 2
    mark = polygon((x - 4, y - 3.6), (x + 4, y - 3.6), (x, y + 4.2), stroke=theme.ground, width=1.5)
    return [Circle(x, y, 8.5, colour), mark]


def _picture(box: Box, place: Place, theme: Theme, crop: int, shapes: bool) -> list[Shape]:
    side = place.extent.width if not place.extent.is_down else PICTURE
    if box.kind == "image":
        whole = landscape(place.left, place.top, side, "whole", theme)
        frames = (crop_frame(place.left, place.top, side, crop, theme) for crop in ORDER[: box.crops])
        return [whole, *frames]
    layers = min(box.copies, 3)
    crops = [ORDER[(crop + i) % len(ORDER)] for i in range(layers)]
    parts: list[Shape] = [
        landscape(place.left + 4 * i, place.top - 4 * i, side, crops[i], theme) for i in reversed(range(layers))
    ]
    below = box.shapes if shapes else ()
    if place.extent.is_down:
        return [*parts, *_caption(box, place, theme, below)]
    start = place.bottom + 14
    if place.extent.is_note_above:
        start = place.top - 4 * (layers - 1) - 6 - 12 * len(below)
    names = title_lines(box)
    parts += [Words(place.x, start + 17 * i, runs, 12.5, theme.ink) for i, runs in enumerate(names)]
    return [*parts, *_small(below, place.x, start + 17 * (len(names) - 1) + 13, 12, SHAPE, theme.muted)]


def _caption(box: Box, place: Place, theme: Theme, shapes: tuple[str, ...]) -> list[Shape]:
    """The name of a view and its shapes beside its picture."""
    is_left, names = place.extent.is_note_above, title_lines(box)
    x, anchor = (place.left - 5, "end") if is_left else (place.right + (8.0 if box.copies > 1 else 0.0) + 5, "start")
    top = place.y + 5 - 7 * (len(names) + len(shapes) - 1)
    words = [Words(x, top + 14 * i, runs, 12.5, theme.ink, anchor) for i, runs in enumerate(names)]
    return [*words, *_small(shapes, x, top + 14 * len(names) - 1, 12, SHAPE, theme.muted, anchor)]


def _note(box: Box, place: Place, theme: Theme) -> list[Shape]:
    lines = box.note.split("\n") if box.note else []
    top = place.top - 7 - LINE * (len(lines) - 1) if place.extent.is_note_above else place.bottom + 16
    return _small(lines, place.x, top, LINE, NOTE, theme.muted)
