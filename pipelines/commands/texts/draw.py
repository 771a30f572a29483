"""`sslgraph draw`: a method's picture, in the format that the file's name asks for."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sslgraph.errors import SslgraphError

from ..options import Plugins, Sets, labels, length, overrides, spec_names, spec_of

if TYPE_CHECKING:
    from sslgraph.drawing import Picture


class Level(StrEnum):
    """How much is drawn: `paper` leaves out what symmetry says, `every-call` nothing."""

    PAPER = "paper"
    EVERY_CALL = "every-call"


def draw(
    names: Annotated[
        list[str],
        typer.Argument(autocompletion=spec_names, help="Methods, recipes, pipelines, by name or file, or run folders"),
    ],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="File; its ending sets the format: svg, png, pdf, mmd, dot, json")
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
    compact: Annotated[
        bool, typer.Option("--compact", help="Leave out shapes, augmentations and counts of parameters")
    ] = False,
    width: Annotated[
        str, typer.Option("--width", help="Width in print, such as 3.25in or 82mm; no letter is under 6 pt")
    ] = "",
    font_size: Annotated[str, typer.Option("--font-size", help="Size of small letters in print")] = "7pt",
    label: Annotated[list[str], typer.Option("--label", help="What a part is called here, such as f=student")] = [],  # noqa: B006
    focus: Annotated[list[str], typer.Option("--focus", help="Part that stands out, such as losses.info")] = [],  # noqa: B006
    grid: Annotated[str, typer.Option("--grid", help="Several methods in one figure: ROWSxCOLUMNS, such as 2x2")] = "",
    transparent: Annotated[bool, typer.Option("--transparent", help="No background")] = False,
    text: Annotated[bool, typer.Option("--text", help="Draw in the terminal and write no file")] = False,
    plugin: Plugins = [],  # noqa: B006
    set_: Sets = [],  # noqa: B006
) -> None:
    """Draw a method like a paper's figure. Without -o the file is NAME.svg in this folder; -o - prints it as svg."""
    from sslgraph.drawing.figure.said import focused, relabelled
    from sslgraph.drawing.write.file import Look, kind_of, rendered_as, written
    from sslgraph.read.load import is_pipeline
    from sslgraph.write_whole import write_whole

    file = out or Path(f"{Path(names[0]).stem}.svg")
    kind = "svg" if str(file) == "-" or text else kind_of(file)
    columns = _columns(grid, len(names))
    names = [spec_of(name) for name in names]
    given = overrides(set_)
    pictures = [relabelled(picture_of(name, str(level), tuple(plugin), given), labels(label)) for name in names]
    pictures = [focused(picture, focus) for picture in pictures] if focus else pictures
    if text:
        from sslgraph.drawing.write.terminal import text as drawn

        typer.echo("\n".join(map(drawn, pictures)), nl=False)
        return
    legend = legend and not is_pipeline(names[0])  # stages have no gradients to explain
    inches, font = length(width, "--width") if width else 0.0, length(font_size, "--font-size") * 72
    look = Look(dark, gradients, shapes, legend, compact, inches, font, transparent)
    if len(pictures) == 1:
        content = written(pictures[0], kind, look)
    else:
        content = rendered_as(look.sheet(pictures, columns), kind)
    if str(file) == "-":
        typer.echo(content, nl=False)
        return
    write_whole(file, lambda opened: opened.write(content))
    typer.echo(f"drawn: {file}")


def _columns(grid: str, count: int) -> int:
    """How many methods stand side by side."""
    rows, sign, columns = grid.partition("x")
    if grid and not (sign and rows.isdigit() and columns.isdigit() and int(rows) * int(columns) >= max(count, 1)):
        raise SslgraphError(f"--grid {grid}: write rows, x and columns with room for {count} methods, such as 2x2")
    return int(columns) if grid else count


def picture_of(name: str, level: str, plugins: tuple[str, ...], given: dict[str, Any]) -> Picture:
    """The picture of a method, or of a recipe's method at its sizes."""
    from sslgraph.drawing import picture
    from sslgraph.read.load import is_pipeline, load_pipeline

    from ...check.check import examine

    if is_pipeline(name):
        from ...stages import drawn  # it knows the kinds of stages, and with them all that they need

        return drawn.picture(load_pipeline(name).spec)
    sized = examine(name, plugins=plugins, overrides=given).sized
    assert sized is not None
    return picture(sized, level="paper" if level == "paper" else "every-call")
