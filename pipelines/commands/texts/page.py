"""`sslgraph page`: writes one HTML file with all shipped methods and the user's own."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from sslgraph.amounts import counted
from sslgraph.errors import SslgraphError

from ..options import Plugins

if TYPE_CHECKING:
    from sslgraph.page import Shown


def page(
    files: Annotated[list[str] | None, Argument(help="Specs of your own, shown beside the shipped ones")] = None,
    out: Annotated[Path, Option("-o", "--out", help="Folder for index.html")] = Path("sslgraph-page"),
    plugin: Plugins = [],
) -> None:
    """Write one offline HTML page of all methods and yours.

    It holds their pictures, settings, comparisons and family tree.
    """
    from sslgraph.files.write_whole import put_whole, told
    from sslgraph.page import page as whole
    from sslgraph.read import catalogue

    if out.exists() and not out.is_dir():
        raise SslgraphError(f"{out} can't be a folder: a file is there; give another place with -o")
    _refuse_unwritable(out)
    names = [*(files or ()), *catalogue.names("methods")]  # the user's own first: their mistakes show at once
    text = whole([shown(name, key, tuple(plugin)) for name, key in zip(names, _keys(names), strict=True)]).encode()
    with told(out):
        out.mkdir(parents=True, exist_ok=True)
    put_whole(out / "index.html", text)
    typer.echo(f"{out / 'index.html'}: {counted(len(names), 'method')}, {len(text) / 1e6:.1f} MB; open it in a browser")


def _refuse_unwritable(out: Path) -> None:
    """A folder where no page can be written is refused before a minute of drawing; nothing is left of the try."""
    from sslgraph.files.write_whole import told, writable

    absent = [folder for folder in (out, *out.parents) if not folder.exists()]
    try:
        with told(out):
            out.mkdir(parents=True, exist_ok=True)
        writable(out / "index.html")
    finally:
        for folder in absent:
            with suppress(OSError):
                folder.rmdir()


def shown(name: str, key: str, plugins: tuple[str, ...] = ()) -> Shown:
    """A method compiled to its sizes, with the texts that it was read from."""
    from sslgraph.checked import BATCH, sized_graph, wired
    from sslgraph.page import Shown

    from ...check.check import allowed_in, load

    loaded, recipe = load(name, {})
    allowed = allowed_in(recipe or loaded, plugins)
    sized = sized_graph(wired(loaded, allowed), loaded, batch=recipe.spec.batch if recipe else BATCH, plugins=allowed)
    files = dict.fromkeys(Path(file).resolve() for file in (str(loaded.file), *loaded.text.files))
    texts = tuple((file.name, file.read_text(encoding="utf-8")) for file in files if file.is_file())
    first = texts[0][1].partition("\n")[0]
    return Shown(key, first.removeprefix("#").strip() if first.startswith("#") else "", texts, sized)


def _keys(names: list[str]) -> list[str]:
    """A name in addresses for each: a shipped method's own, a file's stem, numbered where two are alike."""
    from sslgraph.read import catalogue

    taken = {name for name in names if not catalogue.is_file(name)}
    keys: list[str] = []
    for name in names:
        stem = re.sub(r"[^\w-]+", "-", Path(name).stem if catalogue.is_file(name) else name)
        key, number = stem, 2
        while key in keys or (key in taken and catalogue.is_file(name)):
            key, number = f"{stem}-{number}", number + 1
        keys.append(key)
    return keys
