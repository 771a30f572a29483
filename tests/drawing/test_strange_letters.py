"""Names in letters that the shipped fonts lack: a font of the machine draws them, or it is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from toys import EYE, SQUARE, sized

from sslgraph.drawing import picture
from sslgraph.drawing.figure.said import relabelled
from sslgraph.drawing.paint.scene import Scene
from sslgraph.drawing.write import fonts
from sslgraph.drawing.write.file import Look, rendered_as
from sslgraph.drawing.write.svg import as_svg, rendered
from sslgraph.errors import SslgraphError


def chinese() -> Scene:
    plain = picture(sized(nets={"f": EYE}, flow={"y": "f(x)"}, losses={"l": {**SQUARE, "of": ["y", "y"]}}))
    return Look().scene(relabelled(plain, {"f": "教師 network"}))


def test_letters_that_no_shipped_font_has_are_known() -> None:
    scene = chinese()
    assert fonts.strange(scene.shapes) == "教師"
    assert "教師" in rendered_as(scene, "svg").decode()


def test_a_machine_without_such_a_font_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib import font_manager

    fonts.font_for.cache_clear()
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [])
    said = r"no font of this machine has the letters 教師; install one .* write an .svg"
    for kind in ("png", "pdf"):
        with pytest.raises(SslgraphError, match=said):
            rendered_as(chinese(), kind)
    fonts.font_for.cache_clear()


def test_a_font_of_the_machine_draws_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A font that is made here, of two letters, each a full square."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen
    from matplotlib import font_manager

    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((0, 800), (900, 800), (900, 0)):
        pen.lineTo(corner)
    pen.closePath()
    square = pen.glyph()
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder([".notdef", "one", "two"])
    font.setupCharacterMap({ord("教"): "one", ord("師"): "two"})
    font.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "one": square, "two": square})
    font.setupHorizontalMetrics(dict.fromkeys((".notdef", "one", "two"), (1000, 0)))
    font.setupHorizontalHeader(ascent=900, descent=-200)
    font.setupNameTable({"familyName": "Squares", "styleName": "Regular", "psName": "Squares"})
    font.setupOS2(sTypoAscender=900)
    font.setupPost()
    font.save(tmp_path / "squares.ttf")
    fonts.font_for.cache_clear()
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [str(tmp_path / "squares.ttf")])
    scene = chinese()
    assert b"Squares" in rendered_as(scene, "pdf")
    svg = as_svg(scene)
    assert rendered_as(scene, "png") == rendered(svg, more=(tmp_path / "squares.ttf",)) != rendered(svg)
    fonts.font_for.cache_clear()
