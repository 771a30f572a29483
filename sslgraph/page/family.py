"""The family tree: each method hangs on the earlier one from which it differs least, or on the one its spec names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sslgraph.diff import FORWARDS, Account, Comparison, account
from sslgraph.drawing.elements.forms import Group, Path, Shape, Style, Words, rectangle
from sslgraph.drawing.elements.measure import Run, width
from sslgraph.drawing.elements.theme import Theme
from sslgraph.drawing.paint.scene import Scene

from .shown import Shown

COLUMN, ROW, BOX, HIGH = 190.0, 78.0, 142.0, 26.0
ONE = "one view"
LONELY = 3.0  # between a method that sees one view of an image and one that compares several
SAME_FIELD, SAME_NAME = 2.0, 3.0
LEFT, TOP = 18.0, 46.0
WORDS = 9.5


@dataclass(frozen=True)
class Child:
    """A method with the earlier one that it is nearest to, and what changed on the way, in two or three words each."""

    key: str
    parent: str | None
    words: tuple[str, ...] = ()


def family(methods: Sequence[Shown]) -> tuple[Child, ...]:
    """Every method in the order of publication, each with its nearest predecessor, or None.

    What a paper says that it builds on (`paper: {after: ibot}`) goes first, where that method is there.
    """
    ordered = sorted(methods, key=lambda method: method.order)
    children: list[Child] = []
    for place, method in enumerate(ordered):
        earlier = [(other, between(other, method)) for other in ordered[:place]]
        near = [(other, found) for other, found in reversed(earlier) if _has_kin(found)]
        near.sort(key=lambda pair: distance(pair[1]) - _nearness(pair[0], method))
        said = method.method.paper and method.method.paper.after
        told = [(other, found) for other, found in earlier if said and other.key == said]
        nearest = [Child(method.key, parent.key, words(found)) for parent, found in (told or near)[:1]]
        children += nearest or [Child(method.key, None)]
    return tuple(children)


def distance(found: Account) -> float:
    """How far two methods are apart: ideas count most, then the loss and the wiring, then settings."""
    ideas = sum(2.0 for idea in (*found.gone, *found.come) if idea.is_headline)
    ideas += sum(1.0 for _, new in found.turned if new.is_headline)
    ideas += sum(LONELY for old, new in found.turned if new.name == FORWARDS and (old.how == ONE) != (new.how == ONE))
    shared = sum(1.0 for idea in found.kept if idea.is_headline)
    other = sum({"structure": 0.5, "settings": 0.2, "numbers": 0.1}[s.level] for s in found.statements if s.sign != "=")
    return ideas + other - shared


def _nearness(one: Shown, other: Shown) -> float:
    """What brings two methods together that their graphs don't tell: their field, and that one continues the other."""
    name, other_name = (re.sub(r"[ -]?v?\d+$", "", shown.method.method).lower() for shown in (one, other))
    return SAME_FIELD * (one.method.family == other.method.family) + SAME_NAME * (name == other_name)


def _has_kin(found: Account) -> bool:
    """Whether two methods have an idea in common, or both let several views of an image agree."""
    forms = [*((idea, idea) for idea in found.kept), *found.turned]
    if any(new.is_kinship for _, new in forms):
        return True
    return any(new.name == FORWARDS and ONE not in (old.how, new.how) for old, new in forms)


def words(found: Account) -> tuple[str, ...]:
    """What changed, in two or three words each: "− momentum encoder", "+ multi-crop"."""
    said = [f"− {idea.name}" for idea in found.gone if idea.is_headline]
    said += [f"+ {idea.name}" for idea in found.come if idea.is_headline]
    said += [f"≠ {new.name} {new.how}" for _, new in found.turned if new.is_headline]
    if not said:
        said = [f"≠ {s.about}" for s in found.statements if s.level != "structure"]
    return tuple(said[:3])


Spot = tuple[int, int]  # column and row


def drawn(methods: Sequence[Shown], children: Sequence[Child], theme: Theme) -> Scene:
    """The tree: a band for each family, columns in the order of publication within the years."""
    by_key = {method.key: method for method in methods}
    ordered = [by_key[child.key] for child in children]
    bands, spots = _spots(ordered, {child.key: child.parent for child in children})
    x = {key: LEFT + 70 + column * COLUMN for key, (column, _) in spots.items()}
    y = {key: TOP + 32 + row * ROW for key, (_, row) in spots.items()}
    wide = max(x.values()) + BOX + 40
    high = TOP + (1 + max(row for _, row in spots.values())) * ROW + 12
    parts: list[Shape] = [_band(name, first, last, wide, theme) for name, (first, last) in bands.items()]
    parts += _years(ordered, x, high, theme)
    parts += [_branch(child, spots, x, y, theme) for child in children if child.parent is not None]
    parts += [_box(by_key[child.key], child, x[child.key], y[child.key], theme) for child in children]
    return Scene(tuple(parts), wide, high, "The family tree of the methods", theme)


def _spots(
    ordered: Sequence[Shown], parents: dict[str, str | None]
) -> tuple[dict[str, tuple[int, int]], dict[str, Spot]]:
    """The rows of each family, and the spot of each method.

    Years stand one after the other. A method stands behind its parent, in the first row of its family in which no
    other lies on the way; so the rows of a family are as many as its branches.
    """
    column: dict[str, int] = {}
    row: dict[str, int] = {}
    start, end, year = 0, 0, None
    for method in ordered:
        if method.order[0] != year:
            start, year = end, method.order[0]
        parent = parents[method.key]
        mates = [m.key for m in ordered if m.key in column and m.method.family == method.method.family]
        here = column[method.key] = max(start, column[parent] + 1 if parent else start)
        before = column[parent] if parent in mates else here - 1
        taken = {row[m] for m in mates if before < column[m] <= here or (m != parent and column[m] >= here)}
        row[method.key] = next(number for number in range(len(mates) + 1) if number not in taken)
        end = max(end, here + 1)
    bands: dict[str, tuple[int, int]] = {}
    spots: dict[str, Spot] = {}
    first = 0
    for name in dict.fromkeys(method.method.family for method in ordered):
        mates = [method.key for method in ordered if method.method.family == name]
        last = first + max(row[key] for key in mates)
        bands[name] = (first, last)
        spots |= {key: (column[key], first + row[key]) for key in mates}
        first = last + 1
    return bands, spots


def _band(name: str, first: int, last: int, wide: float, theme: Theme) -> Group:
    top, bottom = TOP + first * ROW - 4, TOP + (last + 1) * ROW - 10
    ground = rectangle(LEFT - 8, top, wide - 8, bottom, 8.0, fill=theme.frame, stroke=theme.faint, width=1.0)
    return Group((ground, Words(LEFT, top + 13, (Run(name, is_bold=True),), WORDS, theme.muted, "start")), "row")


def _years(ordered: Sequence[Shown], x: dict[str, float], high: float, theme: Theme) -> list[Shape]:
    firsts: dict[int, float] = {}
    for method in ordered:
        firsts[method.order[0]] = min(firsts.get(method.order[0], x[method.key]), x[method.key])
    shapes: list[Shape] = []
    for year, left in firsts.items():
        text = str(year) if year < 9999 else "no year"
        shapes.append(Words(left - 12, TOP - 16, (Run(text, is_bold=True),), 11.0, theme.muted, "start"))
        line = (("M", (left - 16, TOP - 26)), ("L", (left - 16, high - 16)))
        shapes.append(Path(line, stroke=theme.faint, width=1.0, dash=(2.0, 3.0)))
    return shapes


def _branch(child: Child, spots: dict[str, Spot], x: dict[str, float], y: dict[str, float], theme: Theme) -> Group:
    """A curve beside the parent and then straight along the child's row, or the other way round if that is taken."""
    parent = str(child.parent)
    x0, y0, x1, y1 = x[parent] + BOX, y[parent], x[child.key], y[child.key]
    (first, start), (last, end) = spots[parent], spots[child.key]
    gap = COLUMN - BOX
    is_free = not any(row == end and first < column < last for column, row in spots.values())
    bend = x0 + gap if is_free or start == end else x1
    before = bend - gap
    curve = (
        ("M", (x0, y0)),
        ("L", (before, y0)),
        ("C", (before + gap * 0.6, y0, bend - gap * 0.6, y1, bend, y1)),
        ("L", (x1, y1)),
    )
    said = f"{parent} to {child.key}: {', '.join(child.words)}"
    return Group((Path(curve, stroke=theme.quiet, width=1.5),), "branch", f"{parent}>{child.key}", said)


def _box(method: Shown, child: Child, x: float, y: float, theme: Theme) -> Group:
    paint = theme.ema if method.method.targets else theme.trained
    style: Style = {"fill": paint.fill, "stroke": paint.line, "width": 1.5}
    style |= {"dash": (5.0, 3.0)} if method.method.targets else {}
    top, bottom, title = y - HIGH / 2, y + HIGH / 2, method.method.method
    name = (Run(_cut(title, 12.0, BOX - 14), is_bold=True),)
    lines = [_cut(word, WORDS, COLUMN - 14) for word in child.words[:2]]
    if len(child.words) > 2:
        lines[1] = _cut(f"{lines[1]}, …", WORDS, COLUMN - 14)
    parts: list[Shape] = [
        rectangle(x, top, x + BOX, bottom, 7.0, **style),
        Words(x + BOX / 2, y + 4.2, name, 12.0, paint.ink),
        *(Words(x + 2, bottom + 11 + 11 * i, (Run(line),), WORDS, theme.muted, "start", halo=theme.frame)
          for i, line in enumerate(lines)),
    ]  # fmt: skip
    return Group(tuple(parts), "box", method.key, f"{title}: {', '.join(child.words) or 'no predecessor'}")


def _cut(text: str, size: float, room: float) -> str:
    """A text that fits, with an ellipsis where it was cut."""
    while width(text, size, is_bold=True) > room and len(text) > 2:
        text = text[:-2].rstrip() + "…"
    return text


def between(one: Shown, other: Shown) -> Account:
    """What makes one method into another."""
    return account(one.method, other.method, (*one.figure.plugins, *other.figure.plugins))


def comparison(one: Shown, other: Shown) -> Comparison:
    """The matched figures of two methods."""
    return Comparison(one.figure, other.figure)
