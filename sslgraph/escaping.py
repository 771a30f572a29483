"""Text for SVG and HTML: what means something there is escaped, and what may not stand there is replaced."""

from __future__ import annotations

import html
import re

# XML 1.0 has no word for these, not even an escaped one: a file that holds one can't be opened.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def escape(text: str) -> str:
    """The text as it can stand in an element or in an attribute's quotes; a control character becomes U+FFFD."""
    return html.escape(_FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text))
