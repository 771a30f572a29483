"""The HTML file around the content of a page: one style sheet, nothing from elsewhere."""

from __future__ import annotations

from pathlib import Path

from sslgraph import __version__

from .markup import Child, Markup, element

STYLE = Path(__file__).with_name("page.css")
# The page states itself that it loads nothing: a browser then refuses whatever would.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


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
