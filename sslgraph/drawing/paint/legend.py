"""What the lines and borders of a picture mean, as far as they occur in it."""

from __future__ import annotations

from typing import Unpack

from ..elements.forms import Command, Group, Path, Shape, Style, Words, moved, rectangle
from ..elements.measure import NOTE, Run, width
from ..elements.picture import Picture, players
from ..elements.theme import Theme
from .at_lines import ema_line, write_line
from .boxes import DASHES, DRAFT_DASH, LINK_DASH

ROW = 20.0
_COPIES = {"EMA": "EMA update", "snapshot": "snapshot"}


def legend(
    picture: Picture, theme: Theme, left: float, top: float, wide: float, gradients: bool
) -> tuple[Group, float, float]:
    """The legend under a picture, the width of the sheet with it, and its own height."""
    parts: list[Shape] = []
    x, y = left, top
    for sign, words in _items(picture, theme, gradients):
        room = 30 + width(words, NOTE) + 20
        if x > left and x + room > wide - left + 16:
            x, y = left, y + ROW
        parts += [moved(part, x, y) for part in sign]
        parts.append(Words(x + 30, y + 4, (Run(words),), NOTE, theme.muted, "start"))
        x += room
        wide = max(wide, x - 20 + left)
    return Group(tuple(parts), "legend"), wide, y - top + 10


def _items(picture: Picture, theme: Theme, gradients: bool) -> list[tuple[list[Shape], str]]:
    boxes = [box for panel in picture.panels for box in panel.boxes]
    edges = [edge for panel in picture.panels for edge in panel.edges]
    weights, kinds = {box.weights for box in boxes}, {edge.kind for edge in edges}
    classes = {edge.gradient for edge in edges if edge.kind == "data"}
    items: list[tuple[list[Shape], str]] = []
    for name, words in (("trained", "trained"), ("ema", "slow copy, no gradient"), ("frozen", "fixed")):
        if name in weights:
            paint, dash = theme.weights(name), DASHES.get(name, ())
            items.append(([_sample(fill=paint.fill, stroke=paint.line, width=1.6, dash=dash)], words))
    if any(box.is_draft for box in boxes):
        form = _sample(fill=theme.ground, stroke=theme.ink, width=1.6, dash=DRAFT_DASH)
        items.append(([form], "not written yet"))
    if "input" in classes:
        items.append(([_stroke(theme.quiet, 1.4)], "input data"))
    if "gradient" in classes:
        items += _gradients(picture, theme) if gradients else [([_stroke(theme.ink, 1.6)], "gradient flows back")]
    if "none" in classes:
        items.append(([_stroke(theme.quiet, 1.4, (5.0, 3.5))], "no gradient"))
    if any(edge.stop for edge in edges):
        strokes = (("M", (5, 6)), ("L", (10, -7)), ("M", (12, 6)), ("L", (17, -7)))
        items.append(([Path(strokes, stroke=theme.ink, width=2.2, is_round=True)], "stop-gradient"))
    if "ema" in kinds:
        words = " or ".join(dict.fromkeys(_COPIES[edge.label.split()[0]] for edge in edges if edge.kind == "ema"))
        items.append(([ema_line(_level(), theme)], words))
    if "same" in kinds:
        items.append(([_stroke(theme.trained.line, 1.6, y=-2), _stroke(theme.trained.line, 1.6, y=2)], "same weights"))
    if any(box.kind == "link" for box in boxes):
        ends = _sample(6.0, fill=theme.ground, stroke=theme.none.line, width=0.8, dash=LINK_DASH)
        items.append(([ends], "goes on at this name"))
    if "write" in kinds:
        items.append(([write_line(_level(), theme)], "write, after the step"))
    return items


def _gradients(picture: Picture, theme: Theme) -> list[tuple[list[Shape], str]]:
    """The colour of the gradient of each player, with the nets that it trains."""
    found: list[tuple[list[Shape], str]] = []
    for panel in picture.panels:
        for number, losses in enumerate(players(panel)):
            words = f"gradient of {', '.join(losses)}: trains {', '.join(panel.trains(losses[0]))}"
            stroke = _stroke(theme.flows[number % len(theme.flows)], 3.0)
            found.append(([stroke], words if len(players(panel)) > 1 else "gradient flows back"))
    return found


def _sample(radius: float = 3.0, **style: Unpack[Style]) -> Path:
    return rectangle(0, -6, 21, 6, radius, **style)


def _stroke(colour: str, thick: float, dash: tuple[float, ...] = (), y: float = 0.0) -> Path:
    return Path(_level(y), stroke=colour, width=thick, dash=dash)


def _level(y: float = 0.0) -> tuple[Command, ...]:
    return ("M", (0.0, y)), ("L", (22.0, y))
