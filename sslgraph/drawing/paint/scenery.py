"""The small landscape that stands for an image, and as crops of itself for its views."""

from __future__ import annotations

from ..elements.forms import Command, Group, Path, points_of, rectangle
from ..elements.theme import Theme

SIDE = 40.0  # of the landscape in its own units
# of a crop: how far it is moved, how much it is enlarged, whether it is mirrored, its colours
_CROPS = {
    "whole": (0.0, 0.0, 1.0, False, 0),
    "a": (-6.0, -4.0, 1.45, False, 1),
    "b": (-16.0, -12.0, 1.6, True, 2),
    "c": (-2.0, -22.0, 2.0, False, 3),
    "d": (-24.0, -6.0, 2.2, True, 0),
    "e": (-10.0, -10.0, 1.5, False, 4),
    "grey": (0.0, 0.0, 1.0, False, 4),
}
ORDER = ("a", "b", "c", "d", "e")
_COLOURS = (
    ("#BBD7EA", "#F2C14E", "#7FB27C", "#3D7A58", "#B5563C", "#F4E3C1"),
    ("#CFE0F4", "#F6D77A", "#A5C882", "#5F8F4E", "#C97B3F", "#F6E8D2"),
    ("#D8CCE6", "#F2B8A0", "#8FA7B0", "#4E6E7C", "#8A4A5C", "#EBD9DD"),
    ("#F3D9C2", "#F4A259", "#B4A86A", "#7A6F3F", "#A33B2B", "#F4DCC8"),
    ("#D4D6D8", "#F2F2F2", "#A6A9AC", "#6B6F73", "#7E8286", "#E4E5E6"),
)
_FORMS: tuple[tuple[Command, ...], ...] = (
    (("M", (0, 0)), ("L", (40, 0)), ("L", (40, 40)), ("L", (0, 40)), ("Z", ())),
    (
        ("M", (34, 10)),
        ("C", (34, 12.76, 31.76, 15, 29, 15)),
        ("C", (26.24, 15, 24, 12.76, 24, 10)),
        ("C", (24, 7.24, 26.24, 5, 29, 5)),
        ("C", (31.76, 5, 34, 7.24, 34, 10)),
        ("Z", ()),
    ),
    (("M", (-2, 40)), ("L", (-2, 26)), ("Q", (8, 14, 18, 24)), ("Q", (28, 34, 42, 20)), ("L", (42, 40)), ("Z", ())),
    (("M", (-2, 42)), ("L", (-2, 34)), ("Q", (12, 26, 24, 32)), ("Q", (32, 36, 42, 30)), ("L", (42, 42)), ("Z", ())),
    (("M", (10, 33)), ("L", (10, 25)), ("L", (15, 20)), ("L", (20, 25)), ("L", (20, 33)), ("Z", ())),
    (("M", (13.2, 33)), ("L", (13.2, 28.5)), ("L", (16.8, 28.5)), ("L", (16.8, 33)), ("Z", ())),
)


def crop_frame(left: float, top: float, side: float, crop: str, theme: Theme) -> Group:
    """The border of a crop on the whole landscape."""
    dx, dy, zoom, *_ = _CROPS[crop]
    unit, x, y = side / SIDE, -dx / zoom, -dy / zoom
    corners = (left + x * unit, top + y * unit, left + (x + SIDE / zoom) * unit, top + (y + SIDE / zoom) * unit)
    halo = rectangle(*corners, 1.0, stroke=theme.ground, width=3.0)
    return Group((halo, rectangle(*corners, 1.0, stroke=theme.ink, width=1.3)))


def landscape(
    left: float,
    top: float,
    side: float,
    crop: str,
    theme: Theme,
    *,
    turns: int = 0,
    part: tuple[float, float] | None = None,
) -> Group:
    """The landscape in a square, whole or as one of its crops.

    `turns`: by so many quarter turns. `part`: only the quarter of it whose corner is here, in halves of its side.
    """
    dx, dy, zoom, is_mirrored, colours = _CROPS[crop]
    if part is not None:
        dx, dy, zoom = -SIDE * part[0], -SIDE * part[1], 2.0
    unit = side / SIDE

    def place(x: float, y: float) -> tuple[float, float]:
        u, v = x * zoom + dx, y * zoom + dy
        for _ in range(turns):
            u, v = v, SIDE - u
        return left + (SIDE - u if is_mirrored else u) * unit, top + v * unit

    def placed(form: tuple[Command, ...]) -> tuple[Command, ...]:
        return tuple((name, tuple(n for x, y in points_of(numbers) for n in place(x, y))) for name, numbers in form)

    forms = [Path(placed(form), fill=colour) for form, colour in zip(_FORMS, _COLOURS[colours], strict=True)]
    picture = Group(tuple(forms), clip=(left, top, side, 4.0))
    border = rectangle(left, top, left + side, top + side, 4.0, stroke=theme.none.line, width=1.2)
    return Group((picture, border))
