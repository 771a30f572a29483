"""A picture for print: laid out for the width of a column, so that no letter is smaller than a reader can read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sslgraph.errors import SslgraphError

from ..arrange.layout import layout
from ..elements.measure import NAME, SHAPE, SMALL, SUB
from ..elements.picture import Picture
from ..elements.theme import Theme
from ..figure.compact import compact
from ..figure.fold import fold, foldable
from .scene import Form, Scene, scene

LEAST = 6.0  # points: no letter is smaller
FONT = 7.0  # points: of the small words in boxes, unless another size is wanted
SMALLEST = min(SHAPE, NAME * SMALL)  # of the letters in a picture
WRAPS = (110.0, 84.0, 72.0, 62.0)


def fitted(
    picture: Picture,
    theme: Theme,
    *,
    inches: float,
    font: float = FONT,
    gradients: bool = False,
    shapes: bool = True,
    with_legend: bool = True,
) -> Scene:
    """The picture in a column of this width; `font`: points of the small words in its boxes.

    It is tried from left to right first, then down the page, each with narrower boxes, then without shapes, then
    compact, at last with its branches folded. The first that fits is taken; SslgraphError says the least width if none
    does.
    """
    point = font / SUB
    least_font = LEAST / SMALLEST * SUB
    if font < least_font - 1e-9:
        raise SslgraphError(
            f"letters of {font:g} pt print indices at {SMALLEST * point:.1f} pt, and {LEAST:g} pt is the least that "
            f"can be read; ask for --font-size {_up(least_font)} or more"
        )
    wide = inches * 72 / point

    def drawn(shown: Picture, form: Form) -> Scene:
        return replace(scene(shown, theme, gradients=gradients, with_legend=with_legend, form=form), point=point)

    rough: list[float] = []
    forms = list(_forms(picture, wide, shapes=shapes))
    for shown, form in forms:
        rough.append(_width(shown, form))
        if rough[-1] <= wide and (found := drawn(shown, form)).width <= wide + 0.01:
            return found
    least = drawn(*forms[rough.index(min(rough))]).width
    raise SslgraphError(
        f"{picture.title}: its picture is not readable {inches:g} in wide; at {font:g} pt it needs "
        f"{_up(least * point / 72)} in"
    )


def _forms(picture: Picture, wide: float, *, shapes: bool) -> Iterator[tuple[Picture, Form]]:
    """The ways to draw a picture, the best ones first."""
    lanes, less = foldable(picture), compact(picture)
    for is_down in (False, True):
        for with_shapes in (True, False) if shapes else (False,):
            yield from ((picture, Form(with_shapes, is_down, wrap, wide)) for wrap in WRAPS)
        yield from ((less, Form(False, is_down, wrap, wide)) for wrap in WRAPS)
    if lanes:
        yield from ((fold(picture, *lanes), Form(shapes, True, wrap, wide)) for wrap in WRAPS)
        yield from ((fold(less, *lanes), Form(False, True, wrap, wide)) for wrap in WRAPS)


def _width(picture: Picture, form: Form) -> float:
    """How wide a picture is at least, before there are words at its lines."""
    places = [
        layout(panel, shapes=form.shapes, is_down=form.is_down, wrap=form.wrap, labels=False).bounds
        for panel in picture.panels
    ]
    return max((right - left for left, _, right, _ in places), default=0.0) + 2 * form.pad


def _up(value: float) -> str:
    """A number to two digits behind the point, never less."""
    return f"{-(-value * 100 // 1) / 100:.2f}"
