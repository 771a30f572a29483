"""Several methods in one figure: cells of one size, and one legend for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..elements.forms import Shape, Words, moved
from ..elements.measure import TITLE, Run
from ..elements.picture import Picture
from ..elements.theme import Theme
from ..paint.legend import legend
from ..paint.scene import Scene

GAP, HEAD, PAD = 14.0, 26.0, 6.0  # between cells; for the name of a method; around the sheet


def sheet(scenes: Sequence[Scene], pictures: Sequence[Picture], columns: int, theme: Theme, *, key: bool) -> Scene:
    """The drawings of these pictures, row by row, each in the middle of its cell; `key`: whether there is a legend."""
    wide = max(scene.width for scene in scenes)
    parts: list[Shape] = []
    y = PAD
    for start in range(0, len(scenes), columns):
        row = scenes[start : start + columns]
        for place, scene in enumerate(row):
            x = PAD + place * (wide + GAP) + (wide - scene.width) / 2
            middle = PAD + place * (wide + GAP) + wide / 2
            parts.append(Words(middle, y + 16, (Run(scene.title, is_bold=True),), TITLE, theme.ink))
            parts += [moved(shape, x, y + HEAD) for shape in scene.shapes]
        y += HEAD + max(scene.height for scene in row) + GAP
    whole = 2 * PAD + columns * wide + (columns - 1) * GAP
    if key:
        together = Picture("", "paper", tuple(panel for picture in pictures for panel in picture.panels))
        signs, whole, high = legend(together, theme, PAD + 8, y + 8, whole, False)
        parts.append(signs)
        y += high + 8
    title = ", ".join(scene.title for scene in scenes)
    return replace(scenes[0], shapes=tuple(parts), width=whole, height=y + PAD, title=title)
