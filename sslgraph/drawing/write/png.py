"""The picture as PNG, drawn from its SVG by resvg with the shipped fonts only: the same dots on every machine."""

from __future__ import annotations

from pathlib import Path

from ..elements.measure import FONTS

FILES = ("FigureSans-Regular.ttf", "FigureSans-Bold.ttf", "FigureSans-Italic.ttf", "FigureSymbols-Regular.ttf")


def rendered(text: str, *, zoom: int = 2, more: tuple[Path, ...] = ()) -> bytes:
    """SVG text as the bytes of a PNG, `zoom` dots for each unit; `more`: fonts for letters that no shipped one has."""
    import resvg_py

    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=text,
            zoom=zoom,
            dpi=96,
            skip_system_fonts=True,
            font_files=[*(str(FONTS / name) for name in FILES), *map(str, more)],
            font_family="Figure Sans",
            sans_serif_family="Figure Sans",
        )
    )
