"""What is put into SVG and HTML stays text, and leaves a file that can be opened."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

from command import Command
from command import sslgraph as sslgraph

from sslgraph.escaping import escape


def test_markup_is_escaped_and_control_characters_are_replaced() -> None:
    assert escape("a < b & \"c\"\t'd'\n") == "a &lt; b &amp; &quot;c&quot;\t&#x27;d&#x27;\n"
    assert escape("\x07\x1b[31m \ud800 \uffff é 漢 🙂") == "\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}[31m " + (
        "\N{REPLACEMENT CHARACTER} \N{REPLACEMENT CHARACTER} é 漢 🙂"
    )


def test_a_method_whose_name_rings_the_bell_is_a_picture_that_opens(tmp_path: Path, sslgraph: Command) -> None:
    (tmp_path / "bell.yaml").write_text('method: "Bell \\x07 & \\x1b[31m"\nextends: simclr\n')
    picture = tmp_path / "bell.svg"
    assert sslgraph("draw", str(tmp_path / "bell.yaml"), "-o", str(picture)).code == 0
    title = ElementTree.parse(picture).getroot().find("{http://www.w3.org/2000/svg}title")
    assert title is not None and str(title.text).startswith("Bell \N{REPLACEMENT CHARACTER} & ")
