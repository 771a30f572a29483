"""Words that are too long for one line: they go on in the next."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

from .measure import NOTE, SUB, TITLE, filled, runs_width, symbol, width
from .picture import NETS, Box, Panel

LOSS = 78.0  # of the words of a loss at least
PILL = 90.0  # of the words of an augmentation
# Behind blanks and arrows, but not inside "75 %", "10 000" and "→ 256"; in a word that is too long behind its signs.
BREAK = re.compile(r"(?<!\d )(?<!→ )(?<=[ →])|(?<=\d )(?![\d%])")
SIGN = re.compile(r"(?<=[_/-])")


def wrapped(box: Box, wide: float, *, is_down: bool = False) -> Box:
    """The box with its words in lines of at most about this width; where data flows down, its note stands inside."""
    wide = min(wide, PILL) if box.kind == "augmentation" else max(wide, LOSS) if box.kind == "loss" else wide
    title = "\n".join(even(box.title, wide, TITLE, is_bold=True))
    name = "\n".join(even(box.symbol, wide, TITLE)) if runs_width(symbol(box.symbol), TITLE) > wide else box.symbol
    last = width(title.rpartition("\n")[2], TITLE, is_bold=True)
    is_said = box.kind in (*NETS, "memory") and name.lower() != box.title.lower()
    if title and is_said and last + 4 + runs_width(symbol(name), TITLE) > wide:
        title += "\n"
    note = [line for text in box.note.split("\n") if text for line in even(text, max(wide, 84.0), NOTE)]
    sub = [line for text in box.sub.split("\n") if text for line in _parts(text, wide)]
    if is_down and box.kind not in ("image", "view"):
        sub, note = [*sub, *note], []
    return replace(box, title=title, symbol=name, sub="\n".join(sub), note="\n".join(note))


def told_in_boxes(panel: Panel) -> Panel:
    """The panel with the momentum of each slow copy in its box, and no word of what is written where.

    On a narrow sheet there is no room at the line.
    """
    labels = {edge.target: edge.label for edge in panel.edges if edge.kind == "ema" and " " in edge.label}
    boxes = tuple(
        replace(box, sub=f"EMA of {box.sub.partition(' of ')[2]} · {labels[box.id].partition(' ')[2]}")
        if box.id in labels and " of " in box.sub
        else box
        for box in panel.boxes
    )
    edges = (replace(e, label=e.label.partition(" ")[0]) if e.kind in ("ema", "write") else e for e in panel.edges)
    return replace(panel, boxes=boxes, edges=tuple(edges))


def _parts(text: str, wide: float) -> list[str]:
    """A line of small words; it breaks between its parts first."""
    found: list[str] = []
    for part in text.split(" · "):
        joined = f"{found[-1]} · {part}" if found else part
        if found and width(joined, SUB) <= wide:
            found[-1] = joined
        else:
            found += even(part, wide, SUB)
    return found


@cache
def even(text: str, wide: float, size: float, *, is_bold: bool = False) -> tuple[str, ...]:
    """A text in as few lines as this width allows, and these as narrow as can be."""
    words = _words(text, wide, size, is_bold)
    found, least = _filled(words, wide, size, is_bold)
    while len(found) > 1:
        tried, most = _filled(words, least - 0.01, size, is_bold)
        if len(tried) > len(found) or most >= least:
            break
        found, least = tried, most
    return tuple(found)


def lines(text: str, wide: float, size: float, *, is_bold: bool = False) -> list[str]:
    """A text in lines of this width; it breaks behind blanks and arrows, and a word that is too long anywhere."""
    return _filled(_words(text, wide, size, is_bold), wide, size, is_bold)[0]


def _words(text: str, wide: float, size: float, is_bold: bool) -> list[str]:
    """The pieces of a text between which it may break; a word that is too long breaks behind its signs, too."""
    words = BREAK.split(text)
    is_long = [width(word.rstrip(), size, is_bold=is_bold) > wide for word in words]
    parts = (part for word, long in zip(words, is_long, strict=True) for part in (SIGN.split(word) if long else [word]))
    return [piece for part in parts for piece in _pieces(part, wide, size)]


def _filled(words: list[str], wide: float, size: float, is_bold: bool) -> tuple[list[str], float]:
    """Words in lines, each as full as this width allows, and how wide the widest is."""
    found = filled(words, lambda line: width(line.rstrip(), size, is_bold=is_bold) <= wide)
    kept = [line.rstrip() for line in found if line.strip()]
    return kept, max((width(line, size, is_bold=is_bold) for line in kept), default=0.0)


def _pieces(word: str, wide: float, size: float) -> list[str]:
    """A word cut into pieces if it is far wider than a line: letters without blanks, as in Chinese, break anywhere."""
    if width(word, size) <= 1.4 * wide:
        return [word]
    return filled(word, lambda line: line.endswith(" ") or width(line, size) <= wide)
