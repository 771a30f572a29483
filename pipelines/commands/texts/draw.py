"""`sslgraph draw`: draws a method in the format that the file's name asks for."""

from __future__ import annotations

import shutil
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Option

from sslgraph.errors import SslgraphError

from ..options import Plugins, Sets, labels, length, named, overrides, spec_of

if TYPE_CHECKING:
    from sslgraph.drawing import Picture
    from sslgraph.drawing.write.file import Look


class Level(StrEnum):
    """How much is drawn: `paper` leaves out what symmetry says, `every-call` nothing; `branches`: two views apart."""

    PAPER = "paper"
    BRANCHES = "branches"
    EVERY_CALL = "every-call"


def draw(
    names: Annotated[
        list[str],
        named("Methods, recipes, pipelines, by name or file, or run folders"),
    ],
    out: Annotated[
        Path | None,
        Option("-o", "--out", help="File; its ending sets the format: svg, png, pdf, tex, mmd, dot, json"),
    ] = None,
    level: Annotated[
        Level, Option("--level", help="Detail: the paper's figure, two views as branches, a box for every call")
    ] = Level.PAPER,
    gradients: Annotated[bool, Option("--gradients", help="Show where gradients flow")] = False,
    dark: Annotated[bool, Option("--dark", help="Dark background")] = False,
    shapes: Annotated[bool, Option("--shapes/--no-shapes", help="Write the shapes of tensors")] = True,
    legend: Annotated[bool, Option("--legend/--no-legend", help="Explain lines and borders below the picture")] = True,
    compact: Annotated[
        bool, Option("--compact", help="Leave out shapes, augmentations and counts of parameters")
    ] = False,
    width: Annotated[
        str, Option("--width", help="Width in print, such as 3.25in or 82mm; no letter is under 6 pt")
    ] = "",
    font_size: Annotated[str, Option("--font-size", help="Size of small letters in print")] = "7pt",
    label: Annotated[list[str], Option("--label", help="What a part is called here, such as f=student")] = [],
    focus: Annotated[list[str], Option("--focus", help="Part that stands out, such as losses.info")] = [],
    grid: Annotated[str, Option("--grid", help="Several methods in one figure: ROWSxCOLUMNS, such as 2x2")] = "",
    equation: Annotated[bool, Option("--equation", help="Write the losses' formulas below the picture")] = False,
    frames: Annotated[
        bool, Option("--frames", help="Files NAME-1.svg, NAME-2.svg, ... for slides: one idea more in each")
    ] = False,
    sketch: Annotated[bool, Option("--sketch", help="Draw a draft, some of whose parts are not written yet")] = False,
    transparent: Annotated[bool, Option("--transparent", help="No background")] = False,
    text: Annotated[bool, Option("--text", help="Draw in the terminal and write no file")] = False,
    plugin: Plugins = [],
    set_: Sets = [],
) -> None:
    """Draw a method like a paper's figure. Without -o the file is NAME.svg in this folder; -o - prints it as svg."""
    from sslgraph.drawing.figure.branches import branches
    from sslgraph.drawing.figure.said import focused, relabelled, with_equation
    from sslgraph.drawing.write.file import Look, kind_of
    from sslgraph.read.load import is_pipeline

    if text and out is not None:
        raise SslgraphError("--text draws in the terminal, and -o writes a file; give one of them")
    file = out or Path(f"{Path(names[0]).stem}.svg")
    kind = "svg" if str(file) == "-" or text else kind_of(file)
    columns = _columns(grid, len(names))
    names = [spec_of(name) for name in names]
    given = overrides(set_)
    drawn = sketch_of if sketch else picture_of
    pictures = [drawn(name, str(level), tuple(plugin), given) for name in names]
    pictures = [branches(picture) for picture in pictures] if level == Level.BRANCHES else pictures
    pictures = [relabelled(picture, labels(label)) for picture in pictures]
    pictures = [focused(picture, focus) for picture in pictures] if focus else pictures
    pictures = [with_equation(picture) for picture in pictures] if equation else pictures
    if text:
        _print(pictures)
        return
    legend = legend and not is_pipeline(names[0])  # stages have no gradients to explain
    shapes = shapes and not sketch  # of which nothing is known
    inches, font = length(width, "--width") if width else 0.0, length(font_size, "--font-size") * 72
    look = Look(dark, gradients, shapes, legend, compact, inches, font, transparent)
    _write(pictures, file, kind, look, columns=columns, frames=frames)


def _print(pictures: list[Picture]) -> None:
    """Draws with letters, no wider than the terminal; into a file or a pipe as wide as it likes."""
    from sslgraph.drawing.write.terminal import text as drawn

    wide = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    typer.echo("\n".join(drawn(picture, wide) for picture in pictures), nl=False)


def _write(pictures: list[Picture], file: Path, kind: str, look: Look, *, columns: int, frames: bool) -> None:
    from sslgraph.drawing.write.file import TEXTS, rendered_as, too_high, written
    from sslgraph.files.write_whole import put_whole

    if frames and (len(pictures) > 1 or str(file) == "-"):
        raise SslgraphError("--frames: draws the steps of one method, each into a file: sslgraph draw METHOD --frames")
    if frames:
        for number, (words, scene) in enumerate(look.frames(pictures[0]), 1):
            step = file.with_stem(f"{file.stem}-{number}")
            put_whole(step, rendered_as(scene, kind))
            typer.echo(f"drawn: {step}, {words}")
        return
    alone, note = len(pictures) == 1, ""
    if alone and kind in TEXTS:
        content = written(pictures[0], kind, look)
    else:
        scene = look.scene(pictures[0]) if alone else look.sheet(pictures, columns)
        content, note = rendered_as(scene, kind), too_high(scene)
    if note:
        typer.echo(note, err=True)
    if str(file) == "-":
        typer.echo(content, nl=False)
        return
    put_whole(file, content)
    typer.echo(f"drawn: {file}")


def _columns(grid: str, count: int) -> int:
    """How many methods are side by side."""
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
    return picture(sized, level="every-call" if level == "every-call" else "paper")


def sketch_of(name: str, level: str, plugins: tuple[str, ...], given: dict[str, Any]) -> Picture:
    """The picture of a draft."""
    from sslgraph.drawing.figure.sketch import sketch
    from sslgraph.read.load import load_method

    loaded = load_method(name, overrides=given)
    return sketch(loaded, plugins, level="every-call" if level == "every-call" else "paper")
