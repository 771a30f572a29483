"""The page as one text: style, script and data in it, nothing asked for from anywhere."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sslgraph.diff import Account
from sslgraph.drawing import as_svg
from sslgraph.drawing.elements.measure import FONTS
from sslgraph.escaping import escape
from sslgraph.overlay import compared

from .colours import MARKED, THEME, variables
from .family import between, comparison, distance, drawn, family
from .shown import FACETS, Shown

HERE = Path(__file__).parent
ROOM = 4_500_000  # letters of pictures of pairs, before they are packed: about 0.75 MB in the file


def page(methods: Sequence[Shown]) -> str:
    """The HTML text of the page; pictures of all states and pairs are laid out here, the page only swaps them."""
    ordered = sorted(methods, key=lambda method: (method.method.family, method.order))
    children = family(methods)
    data = {
        "methods": [method.data() for method in ordered],
        "facets": list(FACETS),
        "pairs": _pairs(ordered),
        "family": {
            "svg": as_svg(drawn(methods, children, THEME), prefix="family-"),
            "parents": {child.key: [child.parent, list(child.words)] for child in children},
        },
    }
    text = (HERE / "page.html").read_text(encoding="utf-8")
    style = (HERE / "page.css").read_text(encoding="utf-8")
    light, dark = variables("light"), variables("dark")
    themes = f":root{{{light}}}\n:root[data-theme=dark]{{{dark}}}\n"
    themes += "".join(f"@font-face{{{face}}}\n" for face in _faces())
    themes += f"@media print{{:root,:root[data-theme=dark]{{{light}}}}}\n"  # paper is white
    for place, content in (
        ("{{style}}", themes + style),
        ("{{script}}", (HERE / "page.js").read_text(encoding="utf-8")),
        ("{{data}}", packed(data)),
        ("{{names}}", escape(", ".join(method.method.method for method in ordered))),
    ):
        text = text.replace(place, content)
    return text


def _faces() -> Iterator[str]:
    """The letters that pictures are laid out for: in others some words are wider than their box."""
    for file, style in (("Regular", ""), ("Bold", ";font-weight:bold"), ("Italic", ";font-style:italic")):
        letters = base64.b64encode((FONTS / f"FigureSans-{file}.ttf").read_bytes()).decode()
        yield f"font-family:'Figure Sans'{style};src:url(data:font/ttf;base64,{letters})"


def packed(data: dict[str, Any]) -> str:
    """Plain values as JSON, compressed, in letters that need no escape; the same on every machine."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), compresslevel=9, mtime=0)).decode()


def told(found: Account) -> dict[str, Any]:
    """An account as plain values."""
    return {"headline": found.headline, "told": [[s.sign, s.level, s.about, s.text] for s in found.statements]}


def _pairs(methods: Sequence[Shown]) -> dict[str, Any]:
    """Words for every two methods, and pictures for those nearest to each other, as many as there is room for."""
    accounts = {(one.key, other.key): between(one, other) for one in methods for other in methods if one is not other}
    by_key = {method.key: method for method in methods}
    pictures: dict[tuple[str, str], str] = {}
    for pair in sorted(accounts, key=lambda pair: (distance(accounts[pair]), pair)):
        one, other = by_key[pair[0]], by_key[pair[1]]
        matched = comparison(one, other)
        drawing = compared(one.paper_level, other.paper_level, matched, accounts[pair], theme=THEME, marks=MARKED)
        text = as_svg(drawing, prefix=f"{one.prefix}{other.prefix}")
        if sum(map(len, pictures.values())) + len(text) > ROOM:
            break
        pictures[pair] = text
    # Similar pictures follow each other: so they compress well.
    return {
        f"{one} {other}": {**told(accounts[one, other]), "svg": pictures.get((one, other), "")}
        for one, other in sorted(accounts, key=lambda pair: pair[::-1])
    }
