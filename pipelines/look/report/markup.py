"""HTML and SVG as text, and the file around a page; everything from outside is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sslgraph import __version__
from sslgraph.escaping import escape

STYLE = Path(__file__).with_name("page.css")
# The page states itself that it loads nothing: a browser then refuses whatever would.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
VOID = {"img", "br", "meta", "hr"}


class Markup(str):
    """Text that is markup already; any other text is escaped where it is put into an element."""

    __slots__ = ()


Child = str | int | float | None | Iterable["Child"]


def element(tag: str, *children: Child, **attributes: str | int | float | bool | None) -> Markup:
    """An element: `class_` is class, `aria_label` is aria-label; an attribute that is None or False is left out."""
    said = "".join(
        _attribute(name, value) for name, value in attributes.items() if value is not None and value is not False
    )
    if tag in VOID:
        return Markup(f"<{tag}{said}>")
    return Markup(f"<{tag}{said}>{join(children)}</{tag}>")


def join(children: Child) -> Markup:
    """Children one after the other; what is None is left out."""
    if isinstance(children, Markup):
        return children
    if children is None:
        return Markup("")
    if isinstance(children, str | int | float):
        return Markup(escape(str(children)))
    return Markup("".join(join(child) for child in children))


def table(head: Iterable[Child], rows: Iterable[Iterable[Child]], **attributes: str) -> Markup:
    """A table whose first row and first column are headings; it scrolls by itself where it is wider than the page."""
    top = element("tr", [element("th", cell, scope="col") for cell in head])
    body = []
    for row in rows:
        first, *rest = row
        body.append(element("tr", element("th", first, scope="row"), [element("td", cell) for cell in rest]))
    inner = element("table", element("thead", top), element("tbody", body), **attributes)
    return element("div", inner, class_="scroll", tabindex=0, role="region", aria_label="table")


def details(summary: Child, *children: Child, is_open: bool = False, class_: str | None = None) -> Markup:
    """A part that folds."""
    return element("details", element("summary", summary), *children, open=is_open, class_=class_)


def document(title: str, *body: Child) -> str:
    """The text of a file that works from a disk, in light and dark, on paper and on a telephone."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("title", title),
        element("style", Markup(STYLE.read_text(encoding="utf-8"))),
    )
    foot = element("footer", f"Written by sslgraph {__version__}.")
    whole = element("html", head, element("body", element("main", *body), foot), lang="en")
    return f"<!doctype html>\n{whole}\n"


def _attribute(name: str, value: str | int | float | bool) -> str:
    name = name.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'
