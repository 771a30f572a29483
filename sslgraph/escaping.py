"""Escapes text for SVG, HTML, LaTeX and a terminal."""

from __future__ import annotations

import html
import re

# XML 1.0 has no word for these, not even an escaped one: a file that holds one can't be opened.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# What moves a terminal's cursor or sets its colours, and bytes of a name that are no text.
_MOVING = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# Letters that LaTeX reads as commands.
FOR_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}",
}  # fmt: skip


def escape(text: str) -> str:
    """The text for an element or an attribute's quotes; a control character becomes U+FFFD."""
    return html.escape(_FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text))


def on_one_line(text: str) -> str:
    """A name as a terminal can show it: a newline, an escape and a byte that is no text become U+FFFD."""
    return _MOVING.sub("\N{REPLACEMENT CHARACTER}", text)
