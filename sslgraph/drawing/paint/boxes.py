"""How each kind of box looks: shape for its role, border for who changes its weights."""

from __future__ import annotations

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
        parts = [*_body(box, place, paint), *_words(box, place, theme, paint)]
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


def _body(box: Box, place: Place, paint: Paint) -> list[Shape]:
    left, top, right, bottom = place.left, place.top, place.right, place.bottom
    style: Style = {"fill": paint.fill, "stroke": paint.line, "width": 1.6, "dash": DASHES.get(box.weights, ())}
    style |= {"dash": DRAFT_DASH} if box.is_draft else {}
    slant = place.extent.slant
    if place.extent.is_down and box.kind == "encoder":
        return [polygon((left, top), (right, top), (right - slant, bottom), (left + slant, bottom), **style)]
    if place.extent.is_down and box.kind == "decoder":
        return [polygon((left + slant, top), (right - slant, top), (right, bottom), (left, bottom), **style)]
    if box.kind == "encoder":
        return [polygon((left, top), (right, top + slant), (right, bottom - slant), (left, bottom), **style)]
    if box.kind == "decoder":
        return [polygon((left, top + slant), (right, top), (right, bottom), (left, bottom - slant), **style)]
    if box.kind == "link":
        style |= {"width": 0.8, "dash": LINK_DASH}
        return [rectangle(left, top, right, bottom, 10.0, **style)]
    if box.kind in ("augmentation", "op") and place.extent.height > 30:
        return [rectangle(left, top, right, bottom, 13.0, **style)]
    if box.kind in ("augmentation", "op"):
        return [pill(left, top, right, bottom, **style)]
    if box.kind == "loss":
        point = 10.0
        return [
            polygon(
                (left + point, top),
                (right - point, top),
                (right, place.y),
                (right - point, bottom),
                (left + point, bottom),
                (left, place.y),
                **style,
            )
        ]
    return [rectangle(left, top, right, bottom, 5.0 if box.kind == "memory" else 7.0, **style)]


def _words(box: Box, place: Place, theme: Theme, paint: Paint) -> list[Shape]:
    first, lines = title_lines(box), box.sub.split("\n") if box.sub else []
    if box.kind == "augmentation" and not place.extent.is_down:
        below = [Words(place.x, place.bottom + 12 + 13.0 * i, (Run(line),), SHAPE, theme.muted)
                 for i, line in enumerate(lines)]  # fmt: skip
        return [*_large(first, place.x, place.y + 4.5, TITLE, paint.ink), *below]
    if box.kind == "link":
        return _large(first, place.x, place.y + 4, NAME, theme.ink)
    if box.kind == "op":
        return _op(box, place, theme, paint)
    seen = SMALL_PICTURE + 4 if box.shows else 0.0
    middle = place.y - (9.0 if box.kind == "memory" else 0.0) + seen / 2
    grey = theme.muted if box.kind != "loss" or box.is_draft else paint.ink
    top = middle + 4.5 - 7.0 * len(lines)
    large = _large(first, place.x, top, TITLE, paint.ink)
    start = top + TITLE_LINE / 2 * (len(first) - 1) + 14.5
    rest = [Words(place.x, start + 14.0 * i, (Run(line),), SUB, grey) for i, line in enumerate(lines)]
    if not seen:
        return [*large, *rest]
    over = top - TITLE_LINE / 2 * (len(first) - 1) - 13 - SMALL_PICTURE
    return [shown(place.x - SMALL_PICTURE / 2, over, SMALL_PICTURE, box, theme), *large, *rest]


def _op(box: Box, place: Place, theme: Theme, paint: Paint) -> list[Shape]:
    """The words of an op, with the picture of what it does above them."""
    first, lines = title_lines(box), box.sub.split("\n") if box.sub else []
    seen = SMALL_PICTURE + 6 if box.shows else 0.0
    middle = place.y + 4 + seen / 2 - 6.5 * len(lines)
    words = _large(first, place.x, middle, NAME, paint.ink)
    start = middle + TITLE_LINE / 2 * (len(first) - 1) + 13
    words += [Words(place.x, start + 13 * i, (Run(line),), SUB, theme.muted) for i, line in enumerate(lines)]
    if not seen:
        return words
    over = middle - TITLE_LINE / 2 * (len(first) - 1) - 15 - SMALL_PICTURE
    return [shown(place.x - SMALL_PICTURE / 2, over, SMALL_PICTURE, box, theme), *words]


def _large(lines: list[tuple[Run, ...]], x: float, y: float, size: float, colour: str) -> list[Shape]:
    """Lines of large letters around a height."""
    top = y - TITLE_LINE / 2 * (len(lines) - 1)
    return [Words(x, top + TITLE_LINE * i, runs, size, colour) for i, runs in enumerate(lines)]


def _slots(place: Place, paint: Paint) -> list[Shape]:
    """The slots of a memory, older ones paler."""
    wide = (place.extent.width - 20) / CELLS
    return [
        rectangle(
            place.left + 10 + i * wide,
            place.bottom - 17,
            place.left + 10 + (i + 1) * wide - 2.5,
            place.bottom - 7,
            1.5,
            fill=paint.line,
            opacity=round(0.85 - 0.7 * i / CELLS, 2),
        )
        for i in range(CELLS)
    ]


def _round_arrow(box: Box, place: Place, theme: Theme) -> list[Shape]:
    """The mark of a slow copy: an arrow that goes round."""
    x = place.right - 3
    y = place.top + 2 + (place.extent.slant if box.kind == "encoder" and not place.extent.is_down else 0.0)
    arc = Path(
        (
            ("M", (x - 2.2, y + 2.6)),
            ("C", (x - 5.2, y + 0.4, x - 3.6, y - 3.6, x, y - 3.6)),
            ("C", (x + 4.4, y - 3.6, x + 4.8, y + 2.8, x + 1.0, y + 3.5)),
        ),
        stroke=theme.ema.line,
        width=1.4,
    )
    head = polygon((x - 1.6, y + 3.4), (x + 2.2, y + 1.2), (x + 1.8, y + 5.4), fill=theme.ema.line)
    return [Circle(x, y, 7.5, theme.ground, theme.ema.line, 1.2), arc, head]


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
    if box.kind == "image":
        whole = landscape(place.left, place.top, PICTURE, "whole", theme)
        frames = (crop_frame(place.left, place.top, PICTURE, crop, theme) for crop in ORDER[: box.crops])
        return [whole, *frames]
    layers = min(box.copies, 3)
    crops = [ORDER[(crop + i) % len(ORDER)] for i in range(layers)]
    parts: list[Shape] = [
        landscape(place.left + 4 * i, place.top - 4 * i, PICTURE, crops[i], theme) for i in reversed(range(layers))
    ]
    below = box.shapes if shapes else ()
    if place.extent.is_down:
        return [*parts, *_caption(box, place, theme, below)]
    start = place.bottom + 14
    if place.extent.is_note_above:
        start = place.top - 4 * (layers - 1) - 6 - 12 * len(below)
    names = title_lines(box)
    parts += [Words(place.x, start + 17 * i, runs, 12.5, theme.ink) for i, runs in enumerate(names)]
    start += 17 * (len(names) - 1)
    parts += [Words(place.x, start + 13 + 12 * i, (Run(shape),), SHAPE, theme.muted) for i, shape in enumerate(below)]
    return parts


def _caption(box: Box, place: Place, theme: Theme, shapes: tuple[str, ...]) -> list[Shape]:
    """The name of a view and its shapes right of its picture."""
    x, names = place.right + (8.0 if box.copies > 1 else 0.0) + 5, title_lines(box)
    top = place.y + 5 - 7 * (len(names) + len(shapes) - 1)
    words: list[Shape] = [Words(x, top + 14 * i, runs, 12.5, theme.ink, "start") for i, runs in enumerate(names)]
    start = top + 14 * len(names) - 1
    return [
        *words,
        *(Words(x, start + 12 * i, (Run(text),), SHAPE, theme.muted, "start") for i, text in enumerate(shapes)),
    ]


def _note(box: Box, place: Place, theme: Theme) -> list[Shape]:
    lines = box.note.split("\n") if box.note else []
    top = place.top - 7 - LINE * (len(lines) - 1) if place.extent.is_note_above else place.bottom + 16
    return [Words(place.x, top + LINE * i, (Run(line),), NOTE, theme.muted) for i, line in enumerate(lines)]
