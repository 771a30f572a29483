"""`sslgraph draw`: a method's picture, in the format that the file's name asks for."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sslgraph.errors import SslgraphError

from .options import Plugins, Sets, overrides

if TYPE_CHECKING:
    from sslgraph.drawing import Picture

FORMATS = ("svg", "png", "pdf", "mmd", "dot", "json")


class Level(StrEnum):
    """How much is drawn: `paper` leaves out what symmetry says, `every-call` nothing."""

    PAPER = "paper"
    EVERY_CALL = "every-call"


def draw(
    name: Annotated[str, typer.Argument(help="Method or recipe, by name or file")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help=f"File; its ending sets the format: {', '.join(FORMATS)}")
    ] = None,
    level: Annotated[
        Level, typer.Option("--level", help="Detail: the paper's figure, or a box for every call")
    ] = Level.PAPER,
    gradients: Annotated[bool, typer.Option("--gradients", help="Show where gradients flow")] = False,
    dark: Annotated[bool, typer.Option("--dark", help="Dark background")] = False,
    shapes: Annotated[bool, typer.Option("--shapes/--no-shapes", help="Write the shapes of tensors")] = True,
    legend: Annotated[
        bool, typer.Option("--legend/--no-legend", help="Explain lines and borders below the picture")
    ] = True,
    text: Annotated[bool, typer.Option("--text", help="Draw in the terminal and write no file")] = False,
    plugin: Plugins = [],  # noqa: B006
    set_: Sets = [],  # noqa: B006
) -> None:
    """Draw a method like a paper's figure. Without -o the file is NAME.svg in this folder."""
    from ..storage.write_whole import write_whole

    file = out or Path(f"{Path(name).stem}.svg")
    if not text and file.suffix.lstrip(".").lower() not in FORMATS:
        raise SslgraphError(f"{file}: a picture can't be written in this format; end its name in {_ends()}")
    picture = picture_of(name, str(level), tuple(plugin), overrides(set_))
    if text:
        from sslgraph.drawing.write.terminal import text as drawn

        typer.echo(drawn(picture), nl=False)
        return
    content = written(
        picture, file.suffix.lstrip(".").lower(), dark=dark, gradients=gradients, shapes=shapes, legend=legend
    )
    write_whole(file, lambda opened: opened.write(content))
    typer.echo(f"drawn: {file}")


def picture_of(name: str, level: str, plugins: tuple[str, ...], given: dict[str, Any]) -> Picture:
    """The picture of a method, or of a recipe's method at its sizes."""
    from sslgraph.drawing import picture

    from ..check.check import examine

    sized = examine(name, plugins=plugins, overrides=given).sized
    assert sized is not None
    return picture(sized, level="paper" if level == "paper" else "every-call")


def written(picture: Picture, kind: str, *, dark: bool, gradients: bool, shapes: bool, legend: bool) -> bytes:
    """A picture in one of the formats."""
    from sslgraph.drawing import as_json, svg
    from sslgraph.drawing.write.graph_text import dot, mermaid

    texts: dict[str, Callable[[Picture], str]] = {"mmd": mermaid, "dot": dot, "json": as_json}
    if kind in texts:
        return texts[kind](picture).encode()
    theme = "dark" if dark else "light"
    if kind == "svg":
        return svg(picture, theme=theme, gradients=gradients, shapes=shapes, legend=legend).encode()
    if kind == "png":
        from sslgraph.drawing.write.png import png

        return png(picture, theme=theme, gradients=gradients, shapes=shapes, legend=legend)
    from sslgraph.drawing.write.pdf import pdf

    return pdf(picture, theme=theme, gradients=gradients, shapes=shapes, legend=legend)


def _ends() -> str:
    return f"{', '.join(f'.{kind}' for kind in FORMATS[:-1])} or .{FORMATS[-1]}"
