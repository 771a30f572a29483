"""Pictures inside the page: as data, with a text for readers who can't see them; contact sheets and neighbours."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from PIL import Image

from ..contact_picture import COLOURS, NARROWEST, scale_of, scaled, with_boxes
from ..contact_sheet import Cell, Sample, Sheet
from .markup import Markup, element
from .painted import Painted
from .place_colours import Coloured
from .seen import THUMB, Picture, Seen

# Small pictures travel as they are and are enlarged by the reader pixel by pixel; larger ones as WebP.
LOSSLESS = 64
LETTERS = 36  # three lines below a small picture


def image(picture: Image.Image, alt: str, width: int | None = None) -> Markup:
    """An image element that holds its own bytes, `width` CSS pixels wide."""
    is_small = max(picture.size) <= LOSSLESS
    buffer = io.BytesIO()
    picture.save(buffer, "PNG" if is_small else "WEBP", **({"optimize": True} if is_small else {"quality": 82}))
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    kind = "png" if is_small else "webp"
    width = width or picture.width
    return element(
        "img",
        src=f"data:image/{kind};base64,{data}",
        alt=alt,
        width=width,
        height=max(1, round(width * picture.height / picture.width)),
        class_="pixels" if is_small else None,
    )


def contact_sheet(sheet: Sheet) -> Markup:
    """Sample by sample: the source with its crops, then every view with its numbers."""
    scale = scale_of(sheet)
    return element("div", [_sample(sample, scale) for sample in sheet.samples], class_="sheet")


def _sample(sample: Sample, scale: float) -> Markup:
    name = f"image {sample.index}" + (f", {sample.label}" if sample.label else "")
    source = element(
        "figure", image(with_boxes(sample), f"{name}, the crops of its views drawn on it"), element("figcaption", name)
    )
    return element("div", source, [_cell(cell, name, scale) for cell in sample.cells], class_="sample")


def _cell(cell: Cell, name: str, scale: float) -> Markup:
    width = max(1, round(cell.pixels.shape[2] * scale))
    lines = ", ".join(cell.lines)
    alt = f"{cell.title} of {name}" + (f": {lines}" if lines else "")
    picture = image(scaled(cell.pixels, min(scale, 1)), alt, width)
    title = element("strong", cell.title, style=f"--view: {COLOURS[cell.view % len(COLOURS)]}")
    # A number stays on the line of its name.
    unbroken = re.sub(r" (?=[+-]?\d)", "\u00a0", lines)
    return element("figure", picture, element("figcaption", title, unbroken), style=f"width: {max(width, NARROWEST)}px")


def neighbours(seen: Seen) -> Markup:
    """Each image asked about at the left, its nearest neighbours after it; the frame says whether classes agree."""
    rows = []
    for query, near in seen.asked:
        cells = [_thumb(query, "asked", "", "asked")]
        for picture in near:
            agrees = "" if not (query.label and picture.label) else "same" if query.label == picture.label else "other"
            said = {"same": "the same class", "other": "another class", "": ""}[agrees]
            cells.append(_thumb(picture, f"{picture.similarity:.2f}", said, agrees))
        rows.append(element("div", cells, class_="near"))
    return element("div", rows, class_="neighbours")


def places(some: tuple[Coloured, ...]) -> Markup:
    """Image by image: itself, and its places before and after training."""
    rows = ({"image": one.image, "trained": one.trained, "before training": one.before} for one in some)
    return element("div", [_row(row, one.index) for row, one in zip(rows, some, strict=True)], class_="neighbours")


def painted(some: Sequence[Painted]) -> Markup:
    """Image by image: what a method had to paint, what it saw of it, what it painted."""
    return element("div", [_row(one.pictures, one.index) for one in some], class_="neighbours")


def _row(shown: Mapping[str, Image.Image], index: int) -> Markup:
    cells = [
        element("figure", image(picture, f"{said}, image {index}"), element("figcaption", said))
        for said, picture in shown.items()
    ]
    return element("div", cells, class_="near places")


def _thumb(picture: Picture, above: str, said: str, class_: str) -> Markup:
    name = ", ".join(filter(None, [picture.name or f"image {picture.index}", picture.label, said]))
    sign = {"same": " =", "other": " ≠"}.get(class_, "")
    below = picture.label or _fitted(PurePath(picture.name).stem)
    caption = element("figcaption", above + sign, element("span", below) if below else None)
    return element("figure", image(picture.image, name, THUMB), caption, class_=class_ or None, title=name)


def _fitted(name: str) -> str:
    """A name as far as it fits below a small picture: its end is what tells names apart."""
    return name if len(name) <= LETTERS else f"…{name[1 - LETTERS :]}"
