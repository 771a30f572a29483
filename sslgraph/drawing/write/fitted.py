"""A picture for print: laid out for the width of a column, so that no letter is smaller than a reader can read."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import partial
from itertools import chain, permutations, starmap

from sslgraph.errors import SslgraphError

from ..elements.measure import NAME, SHAPE, SMALL, SUB
from ..elements.picture import Panel, Picture
from ..elements.theme import Theme
from ..figure.fold import bare, compact, fold, foldable, joined
from ..paint.scene import Form, Scene, scene
from .cut import WRAPS, cut, least_cut

BROAD = 500.0  # units: a figure across a page is rather without its image than as high as the page
PAGE = 9.0 * 72  # points: no figure may be higher than a page's text
LEAST = 6.0  # points: no letter is smaller
FONT = 7.0  # points: of the small words in boxes, unless another size is wanted
SMALLEST = min(SHAPE, NAME * SMALL)  # of the letters in a picture
STEP = 1.06  # from one width to the next that is tried, where no form is as narrow as asked
EXACT = 4  # up to so many branches every order is tried on a narrow sheet; of more, each is moved to each place


def fitted(
    picture: Picture,
    theme: Theme,
    *,
    inches: float,
    font: float = FONT,
    gradients: bool = False,
    shapes: bool = True,
    with_legend: bool = True,
    only: Collection[str] | None = None,
    high: float = PAGE,
) -> Scene:
    """The picture in a column of this width; `font`: points of the small words in its boxes.

    `high`: how many points it should be high at most, if it can with all its branches.

    It is tried from left to right first, then down the page, each with narrower boxes, then without shapes, then
    compact; then with its branches in another order, with some of them folded, at last cut into pieces. The first that
    fits the width and a page is taken; across a page it should be no higher than wide, or the lowest of those with all
    branches is. Then the lowest that fits the width; SslgraphError says the least width if none does.
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
        found = scene(shown, theme, gradients=gradients, with_legend=with_legend, form=form, only=only)
        return replace(found, point=point)

    tall: list[Scene] = []

    def fits(shown: Picture, form: Form) -> Scene | None:
        """The picture in this form, if it is no wider than the form's sheet."""
        if _width(shown, form) <= form.wide and (found := drawn(shown, form)).width <= form.wide + 0.01:
            return found
        return None

    goal = min(high, inches * 72) if wide >= BROAD else high
    forms, folded = (partial(made, picture, wide, shapes=shapes) for made in (_forms, _folded))
    for some in (forms(), folded()):
        for one in filter(None, starmap(fits, some)):
            tall.append(one)
            if one.height * point <= goal:
                return one
        goal = PAGE
        if (low := min(tall, key=lambda one: one.height, default=None)) and low.height * point <= goal:
            return low
    for shown, form in cut(picture, wide, PAGE / point, shapes=shapes):
        if (found := fits(shown, form)) is not None:
            if found.height * point <= PAGE:
                return found
            tall.append(found)
    if tall:  # higher than a page whatever is left out
        return min(tall, key=lambda one: one.height)
    shown, form = min(chain(forms(), folded()), key=lambda one: _width(*one))
    least = drawn(shown, replace(form, wide=1.0)).width
    tried = max(wide, least_cut(picture))
    while tried < least:
        if any(fits(*one) is not None for one in cut(picture, tried, PAGE / point, shapes=False)):
            least = tried
        tried *= STEP
    raise SslgraphError(
        f"{picture.title}: its picture is not readable {inches:g} in wide; at {font:g} pt it needs "
        f"{_up(least * point / 72)} in"
    )


def _forms(picture: Picture, wide: float, *, shapes: bool) -> Iterator[tuple[Picture, Form]]:
    """The ways to draw a picture with all its branches, the best ones first."""
    less = compact(picture)
    least = (bare(picture), joined(bare(picture))) if wide >= BROAD else ()
    for is_down in (False, True):
        for with_shapes in (True, False) if shapes else (False,):
            yield from ((picture, Form(with_shapes, is_down, wrap, wide)) for wrap in WRAPS)
        yield from ((shown, Form(False, is_down, wrap, wide)) for shown in (less, *least) for wrap in WRAPS)
    yield from _in_order(picture, less, wide, shapes=shapes)
    yield from _in_order(bare(picture), joined(bare(picture)), wide, shapes=False)


def _folded(picture: Picture, wide: float, *, shapes: bool) -> Iterator[tuple[Picture, Form]]:
    """The ways to draw a picture with some of its branches as one box."""
    lanes, less, least = foldable(picture), compact(picture), joined(bare(picture))
    for some in _folds(lanes):
        small, smaller = fold(picture, *some), fold(less, *some)
        yield from ((small, Form(shapes, True, wrap, wide)) for wrap in WRAPS)
        yield from ((smaller, Form(False, True, wrap, wide)) for wrap in WRAPS)
        yield from ((fold(least, *some), Form(False, True, wrap, wide)) for wrap in WRAPS)
        if some == lanes:
            yield from _in_order(small, smaller, wide, shapes=shapes)


def _in_order(picture: Picture, less: Picture, wide: float, *, shapes: bool) -> Iterator[tuple[Picture, Form]]:
    """The picture down the page with its branches in the order that takes the least width."""
    picture, less = narrowest(picture, shapes=shapes), narrowest(less, shapes=False)
    yield from ((picture, Form(with_shapes, True, wrap, wide)) for with_shapes in {shapes, False} for wrap in WRAPS)
    yield from ((less, Form(False, True, wrap, wide)) for wrap in WRAPS)


def _folds(lanes: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Branches to fold: each by itself, then all."""
    yield from ((lane,) for lane in lanes)
    if len(lanes) > 1:
        yield lanes


def narrowest(picture: Picture, *, shapes: bool) -> Picture:
    """The picture with the branches of each panel in the order that is narrowest where data flows down."""
    form = Form(shapes, True, WRAPS[-1], 1.0)

    def ordered(panel: Panel) -> Panel:
        tried = [panel, *(replace(panel, lanes=lanes, is_ordered=True) for lanes in _orders(panel.lanes))]
        return min(tried, key=lambda one: round(_width(picture.with_panels((one,)), form)))

    return picture.with_panels(tuple(map(ordered, picture.panels)))


def _orders(lanes: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if len(lanes) <= EXACT:
        yield from permutations(lanes)
        return
    for lane in lanes:
        rest = [other for other in lanes if other != lane]
        yield from ((*rest[:place], lane, *rest[place:]) for place in range(len(lanes)))


def _width(picture: Picture, form: Form) -> float:
    """How wide a picture is at least, before there are words at its lines."""
    return max((form.least(panel)[0] for panel in picture.panels), default=0.0)


def _up(value: float) -> str:
    """A number to two digits behind the point, never less."""
    return f"{-(-value * 100 // 1) / 100:.2f}"
