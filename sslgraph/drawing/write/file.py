"""A picture as a file: its ending chooses the format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from sslgraph.errors import SslgraphError
from sslgraph.files.write_whole import put_whole

from ..elements.forms import Shape, Words, moved
from ..elements.measure import SUB, TITLE, Run
from ..elements.picture import Picture, as_json
from ..elements.theme import DARK, LIGHT, Theme
from ..figure.fold import compact
from ..figure.steps import steps
from ..figure.summed import gathered
from ..paint.legend import legend
from ..paint.scene import POINT, Scene, scene
from .fitted import FONT, PAGE, fitted
from .fonts import font_for, strange
from .graph_text import dot, mermaid
from .svg import as_svg, rendered

FORMATS = ("svg", "png", "pdf", "tex", "mmd", "dot", "json")
TEXTS: dict[str, Callable[[Picture], str]] = {"mmd": mermaid, "dot": dot, "json": as_json}
GAP, HEAD, PAD = 14.0, 26.0, 6.0  # between cells; for the name of a method; around the sheet
DOTS, PRINT_DOTS = 2, 4  # of a PNG for each unit of the picture; for each dot of a screen that prints an inch as 96


@dataclass(frozen=True)
class Look:
    """How a picture looks. `inches`: how wide it is in print, 0 as wide as it likes; `font`: points of its letters."""

    dark: bool = False
    gradients: bool = False
    shapes: bool = True
    legend: bool = True
    compact: bool = False
    inches: float = 0.0
    font: float = FONT
    transparent: bool = False

    def scene(self, picture: Picture) -> Scene:
        """The picture as forms. SslgraphError if it can't be as narrow as this."""
        return self._scene(picture, self.inches, legend=self.legend)

    def frames(self, picture: Picture) -> list[tuple[str, Scene]]:
        """The picture in steps, each with its words; all have one size, so that slides lie on each other."""
        whole = gathered(picture)
        return [(step.words, self._scene(whole, self.inches, legend=False, only=step.seen)) for step in steps(whole)]

    def sheet(self, pictures: Sequence[Picture], columns: int) -> Scene:
        """Several pictures in cells of one size, with one legend. SslgraphError if one can't be as narrow as a cell."""
        point = self.font / SUB
        room = (self.inches * 72 / point - 2 * PAD - (columns - 1) * GAP) / columns * point / 72
        high = PAGE / -(-len(pictures) // columns)
        scenes = [self._scene(picture, room if self.inches else 0.0, legend=False, high=high) for picture in pictures]
        return _sheet(scenes, pictures, columns, self._theme, key=self.legend)

    @property
    def _theme(self) -> Theme:
        return DARK if self.dark else LIGHT

    def _scene(
        self, picture: Picture, inches: float, *, legend: bool, only: frozenset[str] | None = None, high: float = PAGE
    ) -> Scene:  # fmt: skip
        shown = compact(gathered(picture)) if self.compact else gathered(picture)
        drawn = partial(fitted, inches=inches, font=self.font, high=high) if inches else scene
        made = drawn(
            shown, self._theme, gradients=self.gradients, shapes=self.shapes and not self.compact, with_legend=legend,
            only=only,
        )  # fmt: skip
        return replace(made, is_transparent=self.transparent)


def kind_of(file: Path) -> str:
    """The format that the file's ending asks for; SslgraphError if there is no such format."""
    kind = file.suffix.lstrip(".").lower()
    if kind not in FORMATS:
        ends = f"{', '.join(f'.{kind}' for kind in FORMATS[:-1])} or .{FORMATS[-1]}"
        raise SslgraphError(f"{file}: a picture can't be written in this format; end its name in {ends}")
    return kind


def write(picture: Picture, file: Path, look: Look) -> Path:
    """Writes the picture whole or not at all; SslgraphError if the ending or the place won't do. Returns the file."""
    content = written(picture, kind_of(file), look)
    put_whole(file, content)
    return file


def written(picture: Picture, kind: str, look: Look) -> bytes:
    """A picture in one of the formats."""
    return TEXTS[kind](picture).encode() if kind in TEXTS else rendered_as(look.scene(picture), kind)


def too_high(drawn: Scene) -> str:
    """What to say of a figure in print that no page holds, however it was laid out; nothing of another one."""
    high = drawn.height * drawn.point
    if drawn.point == POINT or high <= PAGE:
        return ""
    return (
        f"{drawn.title} is {high / 72:.1f} in high, and a page holds {PAGE / 72:g} in: a wider --width makes it lower, "
        "and `hide` under `picture:` leaves parts out"
    )


def rendered_as(drawn: Scene, kind: str) -> bytes:
    """A scene in one of the formats that are drawings. SslgraphError for the others."""
    if kind == "svg":
        return as_svg(drawn, alone=True).encode()
    if kind == "png":
        more = (font_for(letters),) if (letters := strange(drawn.shapes)) else ()
        return rendered(as_svg(drawn), zoom=DOTS if drawn.point == POINT else PRINT_DOTS, more=more)
    if kind == "tex":
        from .tikz import as_tikz

        return as_tikz(drawn).encode()
    if kind != "pdf":
        ends = ".svg, .png, .pdf or .tex"
        raise SslgraphError(f"several pictures can't be in one .{kind}; end the file's name in {ends}")
    from .pdf import as_pdf

    return as_pdf(drawn)


def _sheet(scenes: Sequence[Scene], pictures: Sequence[Picture], columns: int, theme: Theme, *, key: bool) -> Scene:
    """The drawings of these pictures, row by row, each in the middle of its cell; `key`: whether there is a legend."""
    wide = max(drawn.width for drawn in scenes)
    parts: list[Shape] = []
    y = PAD
    for start in range(0, len(scenes), columns):
        row = scenes[start : start + columns]
        for place, drawn in enumerate(row):
            left = PAD + place * (wide + GAP)
            name = (Run(drawn.title, is_bold=True),)
            parts.append(Words(left + wide / 2, y + 16, name, TITLE, theme.ink))
            parts += [moved(shape, left + (wide - drawn.width) / 2, y + HEAD) for shape in drawn.shapes]
        y += HEAD + max(drawn.height for drawn in row) + GAP
    whole = 2 * PAD + columns * wide + (columns - 1) * GAP
    if key:
        together = Picture("", "paper", tuple(panel for picture in pictures for panel in picture.panels))
        signs, whole, high = legend(together, theme, PAD + 8, y + 8, whole, False)
        parts.append(signs)
        y += high + 8
    title = ", ".join(drawn.title for drawn in scenes)
    return replace(scenes[0], shapes=tuple(parts), width=whole, height=y + PAD, title=title)
