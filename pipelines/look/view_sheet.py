"""Writes the contact sheet of a method or a recipe to a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sslgraph.checked import BATCH
from sslgraph.errors import SslgraphError
from sslgraph.files.write_whole import put_whole, writable
from sslgraph.read.spec import Data, Recipe

from ..check import check
from ..check.request import moved, stand_in
from ..feed.feed import Source
from ..feed.open_source import images_of
from .contact_picture import write_png
from .contact_sheet import Sheet, contact_sheet
from .report.markup import document, element
from .report.pictures import contact_sheet as page_of

# A method alone has no data: these are drawn large enough for views of the paper's size.
EMBEDDED: dict[str, Any] = {"size": 256, "images": 64, "limit": 64}
FORMATS = (".png", ".html")


def write_sheet(
    name: str,
    out: Path,
    *,
    data: str | None = None,
    count: int = 4,
    seed: int | None = None,
    epoch: int = 0,
    plugins: tuple[str, ...] = (),
    overrides: Mapping[str, Any] | None = None,
) -> Sheet:
    """Writes and returns the sheet: of a method at its paper's size, of a recipe as it trains, with its own data."""
    if out.suffix not in FORMATS:
        raise SslgraphError(f"-o {out}: a sheet is written as {' or '.join(FORMATS)}; end the name so")
    writable(out)
    loaded, recipe = check.load(name, overrides or {})
    text = recipe.spec if recipe else None
    allowed = check.allowed_in(recipe or loaded, plugins)
    source, where = _source(text, data, allowed)
    sheet = contact_sheet(
        loaded, source, data=where, count=count, seed=(text.seed if text else 0) if seed is None else seed,
        epoch=epoch, batch=text.batch if text else BATCH, plugins=allowed,
    )  # fmt: skip
    if out.suffix == ".html":
        page = document(sheet.words, element("h1", sheet.method), element("p", sheet.words), page_of(sheet))
        put_whole(out, page)
    else:
        write_png(sheet, out)
    return sheet


def _source(recipe: Recipe | None, data: str | None, plugins: tuple[str, ...]) -> tuple[Source, str]:
    """The images to show, and what they are called."""
    shown = moved(recipe.data if recipe else Data(use=stand_in(), settings=EMBEDDED), data)
    return images_of(shown, "train", plugins), data or str(shown.settings.get("path", shown.use))
