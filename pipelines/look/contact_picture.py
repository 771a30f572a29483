"""Draws a contact sheet: the source with its crops on the left, the views beside it, their numbers below."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from sslgraph.files.write_whole import write_whole

from .contact_sheet import Box, Cell, Sample, Sheet

# Okabe and Ito's colours, which every eye can tell apart; a number or a name beside each, for print without colour.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
INK, PALE, PAPER = "#1B2733", "#5A6672", "#FFFFFF"
WIDTH, MARGIN, GAP = 1400, 16, 10
VIEW_SIDE, LARGEST, NARROWEST = 160, 256, 116
SOURCE_SIDE, CROWDED_SIDE, CROWD = 240, 340, 4  # a source with more than four boxes is shown larger
LINE, SMALL = 15, 11


def write_png(sheet: Sheet, path: Path) -> None:
    """Writes the sheet; the file is there whole or not at all."""
    image = draw(sheet)
    write_whole(path, lambda file: image.save(file, format="PNG"))


def draw(sheet: Sheet) -> Image.Image:
    """The sheet as one picture, no wider than 1400 pixels unless a view is."""
    scale = scale_of(sheet)
    bands = [_band(sample, scale) for sample in sheet.samples]
    heading = sheet.words
    width = max([MARGIN + int(_font(LINE).getlength(heading)), *(band.width for band in bands)]) + MARGIN
    top = MARGIN + LINE + GAP
    page = Image.new("RGB", (width, top + sum(band.height + 2 * GAP for band in bands)), PAPER)
    pen = ImageDraw.Draw(page)
    pen.text((MARGIN, MARGIN), heading, INK, _font(LINE))
    for band in bands:
        pen.line((MARGIN, top, width - MARGIN, top), "#D5DADF")
        for picture, left, down, texts in band.pieces:
            page.paste(picture, (left, top + GAP + down + SMALL + 6))
            for x, y, text, colour in texts:
                pen.text((left + x, top + GAP + down + y), text, colour, _font(SMALL))
        top += band.height + 2 * GAP
    return page


Piece = tuple[Image.Image, int, int, list[tuple[int, int, str, str]]]


@dataclass(frozen=True)
class _Band:
    """What belongs to one sample: pictures with their places and texts."""

    pieces: list[Piece]
    width: int
    height: int


def _band(sample: Sample, scale: float) -> _Band:
    """The source first; the views flow beside it and wrap where the page ends."""
    source = with_boxes(sample)
    name = f"image {sample.index}" + (f", {sample.label}" if sample.label else "")
    pieces = [_piece(source, MARGIN, 0, name, (), INK)]
    start = MARGIN + source.width + 2 * GAP
    left, down, line, widest = start, 0, 0, start
    for cell in sample.cells:
        picture = scaled(cell.pixels, scale)
        texts = _broken(cell.lines, max(picture.width, NARROWEST))
        width, height = max(picture.width, NARROWEST), picture.height + (len(texts) + 2) * (SMALL + 4)
        if left > start and left + width > WIDTH - MARGIN:
            left, down, line = start, down + line + GAP, 0
        pieces.append(_piece(picture, left, down, cell.title, texts, COLOURS[cell.view % len(COLOURS)]))
        left, line, widest = left + width + GAP, max(line, height), max(widest, left + width)
    return _Band(pieces, widest, max(down + line, source.height + 2 * (SMALL + 4)))


def _piece(picture: Image.Image, left: int, down: int, title: str, lines: tuple[str, ...], colour: str) -> Piece:
    below = SMALL + 10 + picture.height
    texts = [(0, below + i * (SMALL + 4), line, PALE) for i, line in enumerate(lines)]
    return picture, left, down, [(0, 0, title, colour), *texts]


def _broken(lines: tuple[str, ...], width: int) -> tuple[str, ...]:
    """Lines put together, comma by comma, as far as they fit below a picture."""
    out: list[str] = []
    for line in lines:
        joined = f"{out[-1]}, {line}" if out else line
        if out and _font(SMALL).getlength(joined) <= width:
            out[-1] = joined
        else:
            out.append(line)
    return tuple(out)


def with_boxes(sample: Sample) -> Image.Image:
    """The source with the crop of every view drawn on it in the view's colour, numbered where a view has copies."""
    height, width = sample.source.shape[1:]
    boxed = [(cell, cell.box) for cell in sample.cells if cell.box is not None]
    scale = (SOURCE_SIDE if len(boxed) <= CROWD else CROWDED_SIDE) / max(height, width)
    image = scaled(sample.source.float() / 255, int(scale) if scale >= 2 else scale)
    pen = ImageDraw.Draw(image)
    by_area = sorted(boxed, key=lambda pair: (pair[1][0] - pair[1][2]) * (pair[1][3] - pair[1][1]))
    corners = [_outline(pen, cell, _in_pixels(box, image.width, image.height)) for cell, box in by_area]
    for (cell, _), (left, top) in zip(by_area, corners, strict=True):
        tag = cell.title.rpartition(" ")[2]
        wide = int(_font(SMALL).getlength(tag)) + 6
        pen.rectangle((left, top, left + wide, top + SMALL + 4), fill=COLOURS[cell.view % len(COLOURS)])
        pen.text((left + 3, top + 1), tag, PAPER, _font(SMALL))
    return image


def _in_pixels(box: Box, width: int, height: int) -> Box:
    """A box on an image of this size; what reaches beyond the image ends at its border."""
    left, top, right, bottom = box
    across = [min(max(x * width, 0), width - 1) for x in (left, right)]
    down = [min(max(y * height, 0), height - 1) for y in (top, bottom)]
    # A line of two colours needs four pixels.
    return across[0], down[0], max(across[1], across[0] + 4), max(down[1], down[0] + 4)


def _outline(pen: ImageDraw.ImageDraw, cell: Cell, box: Box) -> tuple[float, float]:
    """A line that is seen on dark and on light ground; returns its corner."""
    left, top, right, bottom = box
    pen.rectangle((left, top, right, bottom), outline=PAPER, width=4)
    pen.rectangle((left + 1, top + 1, right - 1, bottom - 1), outline=COLOURS[cell.view % len(COLOURS)], width=2)
    return left, top


def scale_of(sheet: Sheet) -> float:
    """One scale for all pictures of a sheet, so that their sizes compare: small views enlarged by a whole number."""
    largest = max(max(cell.pixels.shape[1:]) for sample in sheet.samples for cell in sample.cells)
    if largest > LARGEST:
        return LARGEST / largest
    return max(1, VIEW_SIDE // largest)


def scaled(pixels: Float[Tensor, "channels height width"], scale: float) -> Image.Image:
    """Values in 0..1 as a picture: enlarged pixel by pixel, or made smaller smoothly.

    Of more than three channels the first three are shown, of two the first.
    """
    pixels = pixels[:3] if len(pixels) > 2 else pixels[:1].expand(3, -1, -1)
    values = (pixels * 255).round().clamp(0, 255).to(torch.uint8)
    image = Image.fromarray(values.permute(1, 2, 0).contiguous().numpy())
    if scale == 1:
        return image
    way = Image.Resampling.NEAREST if float(scale).is_integer() else Image.Resampling.LANCZOS
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, way)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
