"""How much room a text and a box need, from a shipped table of letter widths: no font is needed to lay out.

The table is that of Liberation Sans, which is as wide as Helvetica and Arial, letter by letter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from .picture import NETS, Box

FONTS = Path(__file__).parent / "fonts"
TITLE, SUB, NAME, SHAPE, NOTE = 13.0, 10.5, 11.5, 9.5, 10.5  # sizes of letters
GREEK = {"theta": "θ", "xi": "ξ", "phi": "φ", "psi": "ψ", "tau": "τ", "alpha": "α", "beta": "β"}
SMALL = 0.8  # of a subscript
PICTURE, PICTURE_NARROW = 52.0, 42.0  # side of a view's picture; on a narrow sheet
SMALL_PICTURE = 36.0  # side of the picture in an op
CROSS = 24.0  # for the two arrows that cross in a loss
SLANT = 0.17  # of an encoder's height, lost towards its narrow side
SLANT_DOWN = 9.0  # lost at each side of an encoder's narrow end where data flows down
TITLE_LINE = 15.0  # from one line of large letters to the next
LINE = 14.0  # from one line of small text to the next


@dataclass(frozen=True)
class Run:
    """A piece of text in one style."""

    text: str
    is_bold: bool = False
    is_italic: bool = False
    is_sub: bool = False


def width(text: str, size: float, *, is_bold: bool = False) -> float:
    """The width of a text; letters that the table lacks count as wide ones."""
    regular, bold = _widths()
    table = bold if is_bold else regular
    return sum(table.get(letter) or regular.get(letter, 1000) for letter in text) * size / 1000


def runs_width(runs: tuple[Run, ...], size: float) -> float:
    """The width of pieces of text in a row."""
    return sum(width(run.text, size * (SMALL if run.is_sub else 1), is_bold=run.is_bold) for run in runs)


def filled(words: Iterable[str], fits: Callable[[str], bool]) -> list[str]:
    """Words, with the blanks behind them, in lines: as many in each as fit, and one at least."""
    found = [""]
    for word in words:
        if found[-1] and not fits(found[-1] + word):
            found.append("")
        found[-1] += word
    return found


@cache
def known_letters() -> frozenset[str]:
    """The letters that the shipped fonts have."""
    return frozenset(_widths()[0])


@cache
def _widths() -> tuple[dict[str, int], dict[str, int]]:
    table = json.loads((FONTS / "widths.json").read_text(encoding="utf-8"))
    return table["regular"], table["bold"]


def symbol(name: str) -> tuple[Run, ...]:
    """A name of a spec as mathematics: x1 is x with the index 1, ft is f with t, z_large is z with large, xi is ξ."""
    return tuple(run for word in re.split(r"(,[ \n])", name) if word for run in _symbol(word))


def _symbol(name: str) -> tuple[Run, ...]:
    if name in GREEK:
        return (Run(GREEK[name], is_italic=True),)
    if found := re.fullmatch(r"([A-Za-z]+)_?(\d+)|([A-Za-z])([tksq])|([A-Za-z])_(\w+)|([a-z]+)_([a-z])", name):
        base, index = [group for group in found.groups() if group is not None]
        return Run(GREEK.get(base, base), is_italic=True), Run(index.replace("_", " "), is_sub=True)
    return (Run(name.replace("_", " "), is_italic=True),)


def title_lines(box: Box) -> list[tuple[Run, ...]]:
    """What stands in a box in large letters, a tuple for each line."""
    lines: list[tuple[Run, ...]] = [()]
    for run in title(box):
        first, *rest = run.text.split("\n")
        lines[-1] = (*lines[-1], replace(run, text=first))
        lines += [(replace(run, text=text),) for text in rest]
    return [tuple(run for run in line if run.text) for line in lines]


def title(box: Box) -> tuple[Run, ...]:
    """What stands in a box in large letters: its role, and the spec's letter for it."""
    if box.kind == "link":
        return symbol(box.title)
    if box.kind == "view":
        return symbol(box.symbol) + ((Run(f" ×{box.copies}"),) if box.copies != len(box.symbol.split(", ")) else ())
    if box.kind == "augmentation":
        many = (Run(f"{box.copies} × "),) if box.copies > 1 else ()
        return (*many, Run(box.title))
    is_bold = box.kind not in ("op", "image")
    words = (Run(box.title, is_bold),) if box.title else ()
    if box.kind in (*NETS, "memory") and box.symbol and box.symbol.lower() != box.title.lower():
        gap = (Run(" ", is_bold),) if words and not box.title.endswith("\n") else ()
        return (*words, *gap, *symbol(box.symbol))
    return words


@dataclass(frozen=True)
class Extent:
    """The room of a box around its centre: its own width and height, and what stands above and below it."""

    width: float
    height: float
    above: float
    below: float
    side: float  # of everything together, to either side of the centre
    is_note_above: bool = False  # left of it where data flows down
    slant: float = 0.0  # how far a trapezoid's corners lie inside, at its narrow end
    is_down: bool = False  # data flows down, so what else stands "above" and "below" stands left and right

    @property
    def room(self) -> tuple[float, float, float, float]:
        """How far everything reaches from the centre to the left, up, right and down."""
        if self.is_down:
            return self.above, self.side, self.below, self.side
        return self.side, self.above, self.side, self.below


def extent(box: Box, ports: float = 0.0, *, is_note_above: bool = False, is_narrow: bool = False) -> Extent:
    """The room of a box; `ports` is the height that the lines at its busier side need, whatever it is."""
    large = max((runs_width(runs, TITLE) for runs in title_lines(box)), default=0.0)
    more = TITLE_LINE * (len(title_lines(box)) - 1)
    if box.kind in ("image", "view"):
        return _picture(box, large, PICTURE_NARROW if is_narrow else PICTURE, is_note_above)
    subs = box.sub.split("\n") if box.sub else []
    if box.kind == "augmentation":
        wide, below = large + 24, 13.0 * len(subs)
        small = max((width(line, SHAPE) for line in subs), default=0.0)
        return Extent(wide, 26.0 + more, 13.0 + more / 2, 13.0 + more / 2 + below, max(wide, small) / 2)
    small = max((width(line, SUB) for line in subs), default=0.0)
    wide, high = _body(box, large, small, 14.0 * len(subs) + more)
    wide += 8.0 if box.kind == "decoder" else 0.0
    if is_narrow:
        wide -= {"encoder": 12.0, "decoder": 12.0, "head": 10.0, "loss": 10.0, "op": 8.0}.get(box.kind, 0.0)
    if is_narrow and box.kind == "memory":
        wide = max(large, *(width(line, SUB) for line in subs or [""]), 52.0) + 14
    busy = ports + 10.0 if ports else 0.0
    is_slanted = box.kind in ("encoder", "decoder")
    if is_slanted and not box.shows:  # no word sticks out at the narrow end
        high = max(high, (14.0 * len(subs) + more + 29.0) / (1 - SLANT * (1 + max(large, small) / wide)))
    high = max(high, busy / (1 - SLANT) if is_slanted else busy)
    notes = box.note.split("\n") if box.note else []
    note = LINE * len(notes) + 5 if notes else 0.0
    mark = 5.0 if box.weights == "ema" else 0.0
    side = max(wide / 2 + mark, *(width(line, NOTE) / 2 for line in notes)) if notes else wide / 2 + mark
    above, below = (note, 0.0) if is_note_above else (0.0, note)
    slant = high * SLANT if is_slanted else 0.0
    return Extent(wide, high, high / 2 + max(mark, above), high / 2 + below, side, is_note_above, slant)


def extent_down(
    box: Box, ports: float = 0.0, *, shapes: bool = True, is_note_left: bool = False, is_narrow: bool = False
) -> Extent:
    """The room of a box where data flows down, turned over: its `width` is how long it is along the flow."""
    lines = title_lines(box)
    large = max((runs_width(runs, TITLE) for runs in lines), default=0.0)
    if box.kind in ("image", "view"):
        stack = 8.0 if box.copies > 1 else 0.0
        words = max([large, *(width(shape, SHAPE) for shape in box.shapes if shapes)]) + 6 if box.symbol else 0.0
        half = PICTURE / 2
        left, right = (words, stack) if is_note_left else (0.0, stack + words)
        return Extent(PICTURE, PICTURE, half + left, half + right, half + stack, is_note_left, is_down=True)
    subs = box.sub.split("\n") if box.sub else []
    small = max((width(line, SUB) for line in subs), default=0.0)
    wide, high = _body(box, large, small, 14.0 * len(subs) + TITLE_LINE * (len(lines) - 1))
    if box.kind == "augmentation":
        wide, high = max(large, small) + 22, 26.0 + TITLE_LINE * (len(lines) - 1) + 14.0 * len(subs) - 2.0 * bool(subs)
    slant = SLANT_DOWN if box.kind in ("encoder", "decoder") else 0.0
    wide -= {"memory": 8.0, "head": 8.0, "encoder": 8.0, "decoder": 0.0}.get(box.kind, 4.0)
    if is_narrow:  # the slots of a memory are as narrow as its words
        words = max(large, small)
        wide = {"memory": max(words, 52.0) + 14, "encoder": words + 20, "decoder": words + 26}.get(box.kind, wide)
    wide, high = max(wide + slant, ports + 12.0 if ports else 0.0), high - (10.0 if slant else 0.0)
    mark = 5.0 if box.weights == "ema" else 0.0
    return Extent(high, wide, wide / 2, wide / 2 + mark, high / 2 + mark, slant=slant, is_down=True)


def _picture(box: Box, large: float, seen: float, is_note_above: bool) -> Extent:
    stack = 8.0 if box.copies > 1 else 0.0
    caption = (17.0 * len(title_lines(box)) if box.symbol else 0.0) + 13.0 * len(box.shapes)
    words = max([large, seen, *(width(shape, SHAPE) for shape in box.shapes)])
    above, below = (caption, 0.0) if is_note_above else (0.0, caption + 2)
    side = max(words / 2, seen / 2 + stack)
    return Extent(seen, seen, seen / 2 + stack + above, seen / 2 + below, side, is_note_above)


def _body(box: Box, large: float, small: float, lines: float) -> tuple[float, float]:
    if box.kind == "encoder":
        return max(large, small) + 34, 48 + lines + (SMALL_PICTURE + 4 if box.shows else 0.0)
    if box.kind == "op":
        lines_ = title_lines(box)
        wide = max(28.0, small + 18, *(runs_width(runs, NAME) + 20 for runs in lines_))
        high = 24.0 + 14.0 * (len(lines_) - 1) + 13.0 * len(box.sub.split("\n") if box.sub else ())
        return (max(wide, SMALL_PICTURE + 16), high + SMALL_PICTURE + 6) if box.shows else (wide, high)
    if box.kind == "link":
        return max(runs_width(runs, NAME) for runs in title_lines(box)) + 16, 6.0 + TITLE_LINE * len(title_lines(box))
    if box.kind == "memory":
        return max(large, small, 76.0) + 22, 46.0 + lines
    if box.kind == "loss":
        return max(large, small) + 32 + (2 * CROSS if box.is_crossed else 0.0), 36 + lines
    return max(large, small) + 26, 36 + lines
