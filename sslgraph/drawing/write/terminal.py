"""The picture in letters, for a terminal: the same places as on paper, pressed together until the words just fit."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from itertools import pairwise

from ..arrange.layout import WRAP, Layout, layout
from ..elements.picture import NETS, Box, Edge, Picture
from ..figure.fold import compact, fold, foldable

# left-right and up-down strokes: of gradients, of data without, of relations
_STROKES = {"gradient": "━┃", "input": "─│", "none": "╌╎", "ema": "┄┊", "write": "┄┊", "same": "═║"}
_CORNERS = {(1, 1): "╮", (1, -1): "╯", (-1, 1): "╭", (-1, -1): "╰"}
_BORDERS = {"trained": "┌─┐│└┘", "ema": "┌┄┐┊└┘", "frozen": "┌╌┐╎└┘", "none": "╭─╮│╰╯"}
NEAR = 3.0  # heights nearer than this are one line of letters
SIGNS = "━ gradient flows back   ╌ no gradient   ─ input data   ┊ EMA or write   ║ same weights   // stop-gradient"
WRAPS = (WRAP, 84.0, 62.0)
CUT = "⋯"  # where a line goes on in the next piece, and where it comes from


def text(picture: Picture, wide: int = 0) -> str:
    """The picture as lines of letters; ━ carries gradient, ╌ none, ─ is input data.

    `wide`: letters of the longest line; the words then wrap, branches fold, and what is still wider is cut between two
    columns and goes on below. 0: as wide as it likes.
    """
    blocks = [picture.title, *_blocks(picture, wide)]
    blocks.append("\n".join(textwrap.wrap(SIGNS, wide, replace_whitespace=False)) if wide else SIGNS)
    return "\n\n".join(blocks) + "\n"


def _blocks(picture: Picture, wide: int) -> list[str]:
    """The panels, in the first form that fits, else in the last one, cut."""
    lanes = foldable(picture)
    shown = [picture, compact(picture), *([fold(compact(picture), *lanes)] if lanes else [])]
    forms = [(form, wrap) for form in shown for wrap in WRAPS] if wide else [(picture, WRAP)]
    for form, wrap in forms:
        sheets = [list(_Sheet(layout(panel, shapes=False, wrap=wrap)).lines()) for panel in form.panels]
        if not wide or max(len(line) for sheet in sheets for line in sheet) <= wide:
            break
    else:
        form, wrap = forms[len(WRAPS) * 2 - 1]  # cut in pieces, nothing need be folded
        sheets = [_cut(_Sheet(layout(panel, shapes=False, wrap=wrap)), wide) for panel in form.panels]
    titles = [panel.title for panel in form.panels]
    return [block for title, sheet in zip(titles, sheets, strict=True) for block in (title, "\n".join(sheet)) if block]


def _cut(sheet: _Sheet, wide: int) -> list[str]:
    """The lines of a sheet in pieces one below the other, cut where no box stands."""
    lines = list(sheet.lines())
    filled = {x for place in sheet.placed.places.values() for x in range(sheet.x[place.left], sheet.x[place.right] + 1)}
    out: list[str] = []
    start, end = 0, max(map(len, lines))
    while start < end:
        room = wide - 2 * (start > 0)
        cuts = [x for x in range(start + 1, start + room - 1) if x not in filled]
        stop = end if end - start <= room else max(cuts, default=start + room - 2)
        before, after = ("  " if start else ""), stop < end
        for line in lines:
            piece = line[start:stop].ljust(stop - start)
            comes = start and line[start - 1 : start].strip() and line[start : start + 1].strip()
            goes = after and line[stop - 1 : stop].strip() and line[stop : stop + 1].strip()
            out.append(f"{f'{CUT} ' if comes else before}{piece}{f' {CUT}' if goes else ''}".rstrip())
        out += [""] if after else []
        start = stop
    return out


class _Sheet:
    """A panel on a grid of letters."""

    def __init__(self, placed: Layout) -> None:
        self.placed = placed
        self.box = {box.id: box for box in placed.panel.boxes}
        self.labels = {name: _label(box) for name, box in self.box.items()}
        self.edge_y = {name: self._sides(name) for name in self.box}
        self.x = self._columns()
        self.y = self._rows()
        wide, high = max(self.x.values()) + 2, max(self.y.values()) + 2
        self.letters = [[" "] * wide for _ in range(high)]

    def lines(self) -> Iterable[str]:
        """The lines of letters, without blanks at their ends."""
        edges = self.placed.panel.edges
        for number in sorted(
            self.placed.lines, key=lambda n: (edges[n].kind == "data", edges[n].gradient == "gradient", n)
        ):
            spots = zip(self.placed.lines[number], self._heights(number), strict=True)
            self._line(edges[number], [(self.x[x], self.y[y]) for (x, _), y in spots], edges[number].stop)
        for name, box in self.box.items():
            self._box(name, box)
        return ["".join(row).rstrip() for row in self.letters]

    def _sides(self, name: str) -> tuple[int, int]:
        """The upper and the lower side of a box: as far apart as its lines are, not as on paper."""
        place, edges = self.placed.places[name], self.placed.panel.edges
        ends = [(edges[n], points) for n, points in self.placed.lines.items() if edges[n].kind == "data"]
        ports = [points[0][1] for edge, points in ends if edge.source == name]
        ports += [points[-1][1] for edge, points in ends if edge.target == name]
        reach = max((abs(port - place.y) for port in ports), default=0.0) + 2 * NEAR
        return _key(place.y - reach), _key(place.y + reach)

    def _heights(self, number: int) -> list[int]:
        """The heights of a line's points; a relation begins and ends at the sides of its boxes."""
        edge, points = self.placed.panel.edges[number], self.placed.lines[number]
        heights = [_key(y) for _, y in points]
        if edge.kind != "data" and points[0][0] == points[1][0]:
            heights[0] = self.edge_y[edge.source][points[1][1] > points[0][1]]
            heights[-1] = self.edge_y[edge.target][points[-2][1] > points[-1][1]]
        return heights

    def _columns(self) -> dict[float, int]:
        """Every x that matters, as near to the one before as the words allow."""
        places = self.placed.places
        xs = {x for points in self.placed.lines.values() for x, _ in points}
        xs |= {side for place in places.values() for side in (place.left, place.right)}
        needs: dict[float, list[tuple[float, int]]] = {}
        for name, place in places.items():
            needs.setdefault(place.right, []).append((place.left, max(map(len, self.labels[name])) + 3))
        lefts = {place.left for place in places.values()}
        out: dict[float, int] = {}
        here, before = 0, None
        for x in sorted(xs):
            here += 0 if before is None else 3 if x in lefts else 1 if x - before > 0.5 else 0
            here = max([here, *(out[left] + room for left, room in needs.get(x, []))])
            out[x], before = here, x
        return out

    def _rows(self) -> dict[int, int]:
        """Every height that matters; a box is as many lines high as its words and its lines ask for."""
        ys = {y for number in self.placed.lines for y in self._heights(number)}
        ys |= {side for sides in self.edge_y.values() for side in sides}
        needs: dict[int, list[tuple[int, int]]] = {}
        for name, (top, bottom) in self.edge_y.items():
            needs.setdefault(bottom, []).append((top, len(self.labels[name]) + 1))
        out: dict[int, int] = {}
        here = 0
        for y in sorted(ys):
            here += 1 if out else 0
            here = max([here, *(out[top] + room for top, room in needs.get(y, []))])
            out[y] = here
        return out

    def _line(self, edge: Edge, points: list[tuple[int, int]], is_stopped: bool) -> None:
        level, upright = tuple(_STROKES[edge.gradient if edge.kind == "data" else edge.kind])
        for (x0, y0), (x1, y1) in pairwise(points):
            if y0 == y1:
                self._put(min(x0, x1), y0, level * (abs(x1 - x0) + 1))
            elif x0 == x1:
                for y in range(min(y0, y1), max(y0, y1) + 1):
                    self._put(x0, y, upright)
        for (x0, y0), (x1, y1), (x2, y2) in zip(points, points[1:], points[2:], strict=False):
            if (y0 == y1) != (y1 == y2) and (x0, y0) != (x1, y1) and (x1, y1) != (x2, y2):
                side = 1 if (x0 < x1 or x2 < x1) else -1
                down = 1 if (y2 > y1 or y0 > y1) else -1
                self._put(x1, y1, _CORNERS[side, down])
        (x0, y0), (x1, y1) = points[-2], points[-1]
        if edge.kind != "same":
            head = ("▶", x1 - 1, y1) if y0 == y1 else ("▼", x1, y1 - 1) if y1 > y0 else ("▲", x1, y1 + 1)
            self._put(head[1], head[2], head[0])
        if is_stopped:
            self._put(points[0][0] + 1, points[0][1], "//")

    def _box(self, name: str, box: Box) -> None:
        place = self.placed.places[name]
        left, right = self.x[place.left], self.x[place.right]
        top, bottom = (self.y[side] for side in self.edge_y[name])
        a, level, c, upright, e, f = tuple(_BORDERS[box.weights])
        inner = right - left - 1
        self._put(left, top, f"{a}{level * inner}{c}")
        for y in range(top + 1, bottom):
            self._put(left, y, f"{upright}{' ' * inner}{upright}")
        self._put(left, bottom, f"{e}{level * inner}{f}")
        first = (top + bottom - len(self.labels[name]) + 1) // 2
        for i, words in enumerate(self.labels[name]):
            self._put((left + right - len(words) + 1) // 2, first + i, words)

    def _put(self, x: int, y: int, letters: str) -> None:
        self.letters[y][x : x + len(letters)] = letters


def _key(y: float) -> int:
    return round(y / NEAR)


def _label(box: Box) -> list[str]:
    is_named = box.kind in (*NETS, "memory", "view") and box.symbol.lower() != box.title.lower()
    name = " ".join(filter(None, (box.title, box.symbol if is_named else "")))
    copies = f" ×{box.copies}" if box.copies > len(box.symbol.split(", ")) else ""
    note = box.note.replace("\n", " ")
    subs = [] if box.kind in ("image", "view") else box.sub.split("\n")
    return [line for line in (*(name + copies).split("\n"), *subs, note) if line] or [" "]
