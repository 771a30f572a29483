"""A picture as a file: its ending chooses the format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sslgraph.errors import SslgraphError
from sslgraph.write_whole import write_whole

from ..elements.picture import Picture, as_json
from ..elements.theme import DARK, LIGHT
from ..figure.compact import compact
from .fitted import FONT, fitted
from .graph_text import dot, mermaid
from .scene import Scene, scene
from .svg import as_svg

FORMATS = ("svg", "png", "pdf", "mmd", "dot", "json")
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

    def scene(self, picture: Picture) -> Scene:
        """The picture as forms. SslgraphError if it can't be as narrow as this."""
        theme = DARK if self.dark else LIGHT
        shapes = self.shapes and not self.compact
        shown = compact(picture) if self.compact else picture
        if not self.inches:
            return scene(shown, theme, gradients=self.gradients, shapes=shapes, with_legend=self.legend)
        return fitted(
            shown,
            theme,
            inches=self.inches,
            font=self.font,
            gradients=self.gradients,
            shapes=shapes,
            with_legend=self.legend,
        )


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
    write_whole(file, lambda opened: opened.write(content))
    return file


def written(picture: Picture, kind: str, look: Look) -> bytes:
    """A picture in one of the formats."""
    texts: dict[str, Callable[[Picture], str]] = {"mmd": mermaid, "dot": dot, "json": as_json}
    if kind in texts:
        return texts[kind](picture).encode()
    drawn = look.scene(picture)
    if kind == "svg":
        return as_svg(drawn).encode()
    if kind == "png":
        from .png import rendered

        return rendered(as_svg(drawn), zoom=PRINT_DOTS if look.inches else DOTS)
    from .pdf import as_pdf

    return as_pdf(drawn)
