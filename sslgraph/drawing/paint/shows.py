"""What an op does to an image, as a small picture: a mask, tiles, turns. A part's trait says which."""

from __future__ import annotations

from ..elements.forms import Group, Shape, rectangle
from ..elements.picture import Box
from ..elements.theme import Theme
from .scenery import landscape

CELLS = 4  # on a side of a mask
# Cells in an order that looks random: the first ones are hidden.
ORDER = (5, 2, 11, 8, 14, 0, 7, 13, 10, 3, 4, 9, 15, 6, 1, 12)
BLOCKS = (0, 1, 4, 5, 10, 11, 14, 15)
COLOURS = ("#B5563C", "#7FB27C", "#F2C14E", "#5B7FB0")


def shown(left: float, top: float, side: float, box: Box, theme: Theme) -> Group:
    """The landscape after an op."""

    def whole(crop: str = "whole") -> Group:
        return landscape(left, top, side, crop, theme)

    match box.shows:
        case "mask" | "blocks" | "masked mask" | "masked blocks":
            return Group((whole(), *_hidden(left, top, side, box, theme.none.line, theme.ground)))
        case "visible mask" | "visible blocks":  # no more than these patches enter
            return Group((whole(), *_hidden(left, top, side, box, theme.trained.fill, theme.trained.fill)))
        case "hole":
            a, b = side * 0.28, side * 0.72
            hole = rectangle(left + a, top + a, left + b, top + b, 1.0, fill=theme.ground, stroke=theme.none.line)
            return Group((whole(), hole))
        case "boxes":
            spots = ((0.08, 0.1, 0.55, 0.5), (0.35, 0.42, 0.9, 0.9))
            frames = (
                rectangle(left + a * side, top + b * side, left + c * side, top + d * side, 1.0, stroke=theme.loss.line)
                for a, b, c, d in spots
            )
            return Group((whole(), *frames))
        case "grey":
            return whole("grey")
        case "Lab":
            small = side / 2 - 1
            colours = (
                rectangle(x, y, x + small / 2, y + small / 2, 0.0, fill=colour)
                for colour, (x, y) in zip(COLOURS, _corners(left + small + 2, top + side / 4, small / 2), strict=True)
            )
            return Group((landscape(left, top + side / 4, small, "grey", theme), *colours))
        case "turns" if box.shapes and box.shapes[0].startswith("B×"):
            return landscape(left, top, side, "whole", theme, turns=1)
        case _:
            return Group(tuple(_quarters(left, top, side, box.shows, theme)))


def _corners(left: float, top: float, step: float) -> list[tuple[float, float]]:
    return [(left + i * step, top + j * step) for j in (0, 1) for i in (0, 1)]


def _quarters(left: float, top: float, side: float, shows: str, theme: Theme) -> list[Shape]:
    """Four small pictures: turns of the whole, or its quarters, in order or not."""
    gap, parts = 2.0, [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)]
    small = (side - gap) / 2
    places = _corners(left, top, small + gap)
    if shows == "turns":
        return [landscape(x, y, small, "whole", theme, turns=n) for n, (x, y) in enumerate(places)]
    order = (2, 0, 3, 1) if shows == "shuffled" else (0, 1, 2, 3)
    return [landscape(x, y, small, "whole", theme, part=parts[n]) for n, (x, y) in zip(order, places, strict=True)]


def _hidden(left: float, top: float, side: float, box: Box, fill: str, line: str) -> list[Shape]:
    """The cells of a mask that hide something."""
    said = box.share or dict(box.settings).get("ratio", "")
    share = float(said) if said.replace(".", "", 1).isdigit() else 0.5
    cells = BLOCKS if box.shows.endswith("blocks") else ORDER[: round(share * CELLS**2)]
    step = side / CELLS
    return [
        rectangle(x, y, x + step, y + step, 0.0, fill=fill, stroke=line, width=0.8)
        for x, y in ((left + n % CELLS * step, top + n // CELLS * step) for n in cells)
    ]
