"""A picture for print that is cut into pieces, where it is too wide however it is laid out."""

from __future__ import annotations

from collections.abc import Iterator

from ..arrange.tiers import least, tiers
from ..elements.picture import Picture
from ..figure.fold import bare, compact, fold, foldable, joined
from ..paint.scene import PIECES, Form

WRAPS = (110.0, 84.0, 72.0, 62.0)  # widths of words, the best ones first
LEGEND = 75.0  # units: of the legend, and of what stands around a picture


def cut(picture: Picture, wide: float, high: float, *, shapes: bool) -> Iterator[tuple[Picture, Form]]:
    """The ways to cut a picture into pieces for a sheet of this width and height, the best ones first."""
    if shapes:
        yield from _in_pieces(picture, wide, high, shapes=True)
    for shown in (picture, compact(picture), bare(picture), joined(bare(picture))):
        yield from _in_pieces(shown, wide, high, shapes=False)
    yield from _in_pieces(fold(joined(bare(picture)), *foldable(picture)), wide, high, shapes=False)


def least_cut(picture: Picture) -> float:
    """How wide a picture that is cut wherever it can be is at least, in units."""
    form = Form(False, True, WRAPS[-1], 1.0)
    return max((least(panel, form.least) for panel in bare(picture).panels), default=0.0)


def _in_pieces(picture: Picture, wide: float, high: float, *, shapes: bool) -> Iterator[tuple[Picture, Form]]:
    """The picture in pieces, beside and under each other."""
    room = high / len(picture.panels) - LEGEND
    for wrap in WRAPS:
        form = Form(shapes, True, wrap, wide, high - LEGEND)
        found = [tiers(panel, form.least, wide, room, PIECES) for panel in picture.panels]
        if all(found):
            yield picture.with_panels(tuple(piece for some in found for piece in some or ())), form
