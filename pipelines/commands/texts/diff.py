"""`sslgraph diff`: shows what turns one method into another, in words and as one picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from sslgraph.errors import SslgraphError

from ..options import Plugins, spec_of

if TYPE_CHECKING:
    from sslgraph.drawing import Scene

FORMATS = ("svg", "png", "pdf", "tex", "html")


def diff(
    one: Annotated[str, Argument(help="Method, by name or file, or run folder")],
    other: Annotated[str, Argument(help="Method, by name or file, or run folder")],
    out: Annotated[
        Path | None,
        Option("-o", "--out", help=f"Picture to draw; its ending sets the format: {', '.join(FORMATS)}"),
    ] = None,
    dark: Annotated[bool, Option("--dark", help="Dark background")] = False,
    plugin: Plugins = [],
) -> None:
    """Explain how two methods differ. The idea comes first, then structure, settings and numbers."""
    from sslgraph.method import Difference, Method
    from sslgraph.read.load import load_method
    from sslgraph.read.plugins import allowed

    kind = out.suffix.lstrip(".").lower() if out else ""
    if out and kind not in FORMATS:
        ends = f"{', '.join(f'.{name}' for name in FORMATS[:-1])} or .{FORMATS[-1]}"
        raise SslgraphError(f"{out}: a comparison can't be written in this format; end its name in {ends}")
    first, second = load_method(spec_of(one)), load_method(spec_of(other))
    plugins = allowed(plugin, first, second)
    found = Difference(Method(first, plugins), Method(second, plugins))
    if out:
        from sslgraph.files.write_whole import put_whole

        put_whole(out, written(found.scene(dark=dark), found.lines, kind))
    typer.echo("\n".join(found.lines))
    if out:
        typer.echo(f"drawn: {out}")


def written(scene: Scene, lines: list[str], kind: str) -> bytes:
    """The comparison in one of the formats; html has the words below the picture."""
    from sslgraph.drawing import as_svg

    if kind in ("png", "pdf", "tex"):
        from sslgraph.drawing.write.file import rendered_as

        return rendered_as(scene, kind)
    text = as_svg(scene)
    if kind == "html":
        from ...look.report.markup import Markup, document, element

        words = element("pre", "\n".join(lines), class_="words")
        text = document(scene.title, element("div", Markup(text), class_="scroll method"), words)
    return text.encode()
