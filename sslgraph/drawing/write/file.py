"""A picture as a file: its ending chooses the format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sslgraph.errors import SslgraphError
from sslgraph.write_whole import write_whole

from ..elements.picture import Picture, as_json
from .graph_text import dot, mermaid
from .svg import svg

FORMATS = ("svg", "png", "pdf", "mmd", "dot", "json")


def kind_of(file: Path) -> str:
    """The format that the file's ending asks for; SslgraphError if there is no such format."""
    kind = file.suffix.lstrip(".").lower()
    if kind not in FORMATS:
        ends = f"{', '.join(f'.{kind}' for kind in FORMATS[:-1])} or .{FORMATS[-1]}"
        raise SslgraphError(f"{file}: a picture can't be written in this format; end its name in {ends}")
    return kind


def write(picture: Picture, file: Path, *, dark: bool, gradients: bool, shapes: bool, legend: bool) -> Path:
    """Writes the picture whole or not at all; SslgraphError if the ending or the place won't do. Returns the file."""
    content = written(picture, kind_of(file), dark=dark, gradients=gradients, shapes=shapes, legend=legend)
    write_whole(file, lambda opened: opened.write(content))
    return file


def written(picture: Picture, kind: str, *, dark: bool, gradients: bool, shapes: bool, legend: bool) -> bytes:
    """A picture in one of the formats."""
    texts: dict[str, Callable[[Picture], str]] = {"mmd": mermaid, "dot": dot, "json": as_json}
    if kind in texts:
        return texts[kind](picture).encode()
    theme = "dark" if dark else "light"
    if kind == "svg":
        return svg(picture, theme=theme, gradients=gradients, shapes=shapes, legend=legend).encode()
    if kind == "png":
        from .png import png

        return png(picture, theme=theme, gradients=gradients, shapes=shapes, legend=legend)
    from .pdf import pdf

    return pdf(picture, theme=theme, gradients=gradients, shapes=shapes, legend=legend)
