"""Letters that the shipped fonts lack, such as Chinese ones: a font of this machine draws them, or it is said."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from sslgraph.errors import SslgraphError

from ..elements.forms import Group, Shape, Words
from ..elements.measure import known_letters


def strange(shapes: tuple[Shape, ...]) -> str:
    """The letters of a drawing that no shipped font has, each once."""
    return "".join(dict.fromkeys(letter for letter in _letters(shapes) if letter not in known_letters()))


def _letters(shapes: tuple[Shape, ...]) -> Iterator[str]:
    for shape in shapes:
        if isinstance(shape, Group):
            yield from _letters(shape.parts)
        elif isinstance(shape, Words):
            yield from "".join(run.text for run in shape.runs)


@cache
def font_for(letters: str) -> Path:
    """A font of this machine that has all these letters; SslgraphError if there is none."""
    from matplotlib import font_manager
    from matplotlib.ft2font import FT2Font

    wanted = {ord(letter) for letter in letters}
    for file in sorted(font_manager.findSystemFonts()):
        try:
            if wanted <= set(FT2Font(file).get_charmap()):
                return Path(file)
        except (OSError, RuntimeError):  # some files of fonts can't be read
            continue
    shown = letters[:8] + ("…" if len(letters) > 8 else "")
    raise SslgraphError(
        f"no font of this machine has the letters {shown}; install one (Debian: apt install fonts-noto-cjk), or write "
        "an .svg, in which the reader's fonts draw them"
    )
