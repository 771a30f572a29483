"""Two pictures as one: what both have stands once, and each box and line knows whether it came, went or changed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from itertools import product
from typing import Literal

from sslgraph.diff import Changed, Comparison
from sslgraph.diff.phrases import of_settings
from sslgraph.drawing import Box, Edge, Panel, Picture
from sslgraph.drawing.arrange.layout import WRAP
from sslgraph.drawing.elements.measure import NOTE, width
from sslgraph.drawing.figure.summed import once
from sslgraph.read.spec import Method

State = Literal["same", "changed", "added", "removed"]
Line = tuple[str, str, str]  # source, target, kind
WAS = "was."
# Where two methods use the same things in another order, their lines would go round in a circle; then only these kinds
# of boxes stand once for both, and at last none but what lies at the ends.
PAIRED: tuple[tuple[str, ...], ...] = (
    ("image", "augmentation", "view", "encoder", "head", "decoder", "loss"),
    ("image", "augmentation", "view", "encoder", "loss"),
    ("image", "loss"),
)
NOTHING = Panel("", "", (), (), ())  # in the place of a panel that the other method does not have
CHIPS = 3  # lines of changes under a box; the words of the comparison have them all
_APART = re.compile(r", (?![^\[(]*[\])])")  # between two changes, not within a list
_KINDS = ("net", "target", "state", "op", "loss")  # of changes that a box tells


@dataclass
class Union:
    """The picture of both, in the letters of the other; `chips` are the words under a box, "old → new"."""

    picture: Picture
    boxes: dict[str, State] = field(default_factory=dict)
    lines: dict[Line, State] = field(default_factory=dict)
    chips: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def state(self, name: str, kind: str) -> State:
        """Whether a line SOURCE>TARGET came, went or changed; a layout chooses which boxes of a net a relation ties."""
        source, _, target = name.partition(">")
        part = {box.id: box.part or box.id for panel in self.picture.panels for box in panel.boxes}
        tied = (part.get(source), part.get(target), kind)
        alike = (state for (one, other, of), state in self.lines.items() if (part[one], part[other], of) == tied)
        return self.lines[line] if (line := (source, target, kind)) in self.lines else next(alike, "same")


def union(one: Picture, other: Picture, comparison: Comparison) -> Union:
    """Lays the picture of one method over that of another."""
    one, other = once(one), once(other)
    made = Union(Picture(f"{one.title} → {other.title}", other.level, ()))
    rest = [panel for panel in one.panels if not _trains(panel)]
    panels: list[Panel] = []
    for panel in other.panels:
        mates = [p for p in one.panels if _trains(p)] if _trains(panel) else [rest.pop(0)] if rest else []
        panels.append(_Overlay(next(iter(mates), NOTHING), panel, comparison, made).panel())
    panels[:0] = [_Overlay(panel, NOTHING, comparison, made).panel() for panel in rest]
    made.picture = made.picture.with_panels(tuple(panels))
    return made


def _trains(panel: Panel) -> bool:
    return any(box.kind == "loss" for box in panel.boxes)


class _Overlay:
    """One panel over another; either may be missing."""

    def __init__(self, one: Panel, other: Panel, comparison: Comparison, made: Union) -> None:
        self.one, self.other, self.comparison, self.made = one, other, comparison, made
        self.olds, self.news = list(one.boxes), list(other.boxes)
        self.parts = {box.id: box.part or box.id for box in self.news}
        self.parts |= {WAS + box.id: box.part or WAS + box.id for box in self.olds}
        self.pairs = dict(self._pairs())
        for kinds in PAIRED:
            if self._is_forward():
                break
            kind_of = {box.id: box.kind for box in self.olds}
            self.pairs = {old: new for old, new in self.pairs.items() if kind_of[old] in kinds}

    def panel(self) -> Panel:
        lanes = self._lanes()
        boxes = [self._new(box) for box in self.news]
        gone = [box for box in self.olds if box.id not in self.pairs]
        boxes += [replace(box, id=WAS + box.id, lane=lanes.get(box.lane, ""), note="") for box in gone]
        self.made.boxes |= dict.fromkeys((WAS + box.id for box in gone), "removed")
        shown = tuple(dict.fromkeys([*self.other.lanes, *lanes.values()]))
        base = replace(self.one, title=f"{self.one.title} (gone)") if self.other is NOTHING else self.other
        return Panel(base.name, base.title, tuple(boxes), tuple(self._edges()), shown, self.other.frames)

    def _pairs(self) -> Iterator[tuple[str, str]]:
        """The boxes that are the same thing in both, each once, those of one part in the order of reading."""
        free = {box.id: box for box in self.news}

        def join(olds: list[Box], news: list[Box]) -> Iterator[tuple[str, str]]:
            left = [box for box in olds if box.id not in taken]
            for old, new in zip(left, [box for box in news if box.id in free], strict=False):
                taken.add(old.id)
                del free[new.id]
                yield old.id, new.id

        taken: set[str] = set()
        yield from join([b for b in self.olds if b.kind == "image"], [b for b in self.news if b.kind == "image"])
        for kind in ("augmentation", "view"):
            for x, y in self.comparison.match.pairs["views"]:
                yield from join(_of(self.olds, x, kind), _of(self.news, y, kind))
                yield from self._stacked(x, y, kind, taken)
        for section in ("nets", "targets", "state", "ops"):
            for x, y in self.comparison.match.pairs[section]:
                yield from join(_of(self.olds, x), _of(self.news, y))
        for x, y in self.comparison.losses.items():
            yield from join(_of(self.olds, x), _of(self.news, y))
        # A slow copy that went, and the second place of its net: the branch stayed, its weights are others.
        for x, y in self.comparison.match.pairs["nets"]:
            for old in _copies(self.comparison.one.method, x):
                yield from join(_of(self.olds, old), _of(self.news, y))
            for new in _copies(self.comparison.other.method, y):
                yield from join(_of(self.olds, x), _of(self.news, new))
        for use in dict.fromkeys(box.use for box in self.olds if box.kind == "op"):
            olds, news = ([b for b in boxes if b.kind == "op" and b.use == use] for boxes in (self.olds, self.news))
            yield from join(olds, news)

    def _stacked(self, x: str, y: str, kind: str, taken: set[str]) -> Iterator[tuple[str, str]]:
        """A view that stood alone and now lies in a stack with others, whose first gave the stack its name."""
        stack = next((box.part for box in self.news if box.kind == "view" and y in box.values), "")
        for old, new in product(_of(self.olds, x, kind), _of(self.news, stack, kind)):
            if old.id not in taken:
                taken.add(old.id)
                yield old.id, new.id

    def _is_forward(self) -> bool:
        """Whether the data lines of both together have a direction."""
        sorter: TopologicalSorter[str] = TopologicalSorter()
        for edge in (*self._old_edges(), *self.other.edges):
            if edge.kind == "data":
                sorter.add(edge.target, edge.source)
        try:
            sorter.prepare()
        except CycleError:
            return False
        return True

    def _lanes(self) -> dict[str, str]:
        """Where the lanes of the old picture lie in the new one: with most of their boxes, or on their own."""
        found: dict[str, str] = {}
        lane_of = {box.id: box.lane for box in self.news}
        for lane in self.one.lanes:
            mates = Counter(lane_of[self.pairs[b.id]] for b in self.olds if b.lane == lane and b.id in self.pairs)
            ranked = sorted((item for item in mates.items() if item[0]), key=lambda item: (-item[1], item[0]))
            found[lane] = ranked[0][0] if ranked else WAS + lane
        return found

    def _new(self, box: Box) -> Box:
        olds = [b for b in self.olds if self.pairs.get(b.id) == box.id]
        if not olds:
            self.made.boxes[box.id] = "added"
            return box
        old = replace(olds[0], use=", ".join(dict.fromkeys(b.use for b in olds)))
        chips = self._chips(old, box)
        self.made.boxes[box.id] = "changed" if chips else "same"
        self.made.chips[box.id] = chips
        if box.kind == "augmentation":
            return replace(box, sub=chips[0]) if chips else box
        return replace(box, note="\n".join(filter(None, (*chips, box.note))))

    def _chips(self, old: Box, new: Box) -> tuple[str, ...]:
        if new.kind == "augmentation":
            return (f"{old.use} → {new.use}",) if old.use != new.use else ()
        if new.kind in ("view", "image"):
            return ()
        if old.weights != new.weights and "ema" in (old.weights, new.weights):
            words = {"ema": "slow copy", "trained": "same weights", "frozen": "frozen", "none": "no weights"}
            return (f"{words[old.weights]} → {words[new.weights]}",)
        first = next(b for b in self.news if b.part == new.part and b.kind == new.kind)
        told = [c for c in self.comparison.changes if isinstance(c, Changed) and c.kind in _KINDS]
        changes = [change for change in told if change.other == new.part and new is first]
        if new.kind == "loss" and (equal := self._equal(changes)):
            return (f"{old.title} → {new.title}", equal) if old.title != new.title else (equal,)
        said = _APART.split(of_settings(changes).replace("->", "→")) if changes else []
        more = [f"and {len(said) - CHIPS + 1} more"] if len(said) > CHIPS else []
        return tuple(line for chip in said[: CHIPS - len(more)] + more for line in _lines(chip))

    def _equal(self, changes: list[Changed]) -> str:
        """What is said of two losses that differ by a factor and an offset only."""
        for change in (change for change in changes if change.setting == "use"):
            one, other = self.comparison.one.traits(str(change.before)), self.comparison.other.traits(str(change.after))
            if one.affine_in == other.affine_in != "":
                return "equal up to a factor"
        return ""

    def _old_edges(self) -> list[Edge]:
        """The lines of the old picture between the boxes of both together."""
        place = {**{box.id: WAS + box.id for box in self.olds}, **self.pairs}
        return [replace(edge, source=place[edge.source], target=place[edge.target]) for edge in self.one.edges]

    def _edges(self) -> Iterator[Edge]:
        old = self._old_edges()
        before = {self._tie(edge): edge for edge in old}
        for edge in self.other.edges:
            twin = before.get(self._tie(edge))
            is_other = twin is not None and _carries(twin) != _carries(edge)
            self.made.lines[_key(edge)] = "added" if twin is None else "changed" if is_other else "same"
            copied = edge.kind == "same" and self._tie(replace(edge, kind="ema")) in before
            yield replace(edge, label="") if copied else edge  # the words of the slow copy that went stand there
        after = {self._tie(edge) for edge in self.other.edges}
        for edge in old:
            if self._tie(edge) not in after:
                self.made.lines[_key(edge)] = "removed"
                yield replace(edge, name="", shape="", port="")

    def _tie(self, edge: Edge) -> Line:
        """What a line ties together; for a slow copy these are the nets, whichever of their boxes it runs between."""
        if edge.kind != "ema":
            return _key(edge)
        return self.parts[edge.source], self.parts[edge.target], edge.kind


def _carries(edge: Edge) -> tuple[bool, bool]:
    """Whether a gradient runs along a line, and whether it has a stop."""
    return edge.gradient == "gradient", edge.stop


def _key(edge: Edge) -> Line:
    return edge.source, edge.target, edge.kind


def _of(boxes: list[Box], part: str, kind: str = "") -> list[Box]:
    """The boxes of a part of one kind; without a kind, those that are neither a view nor its augmentation."""
    return [b for b in boxes if b.part == part and (b.kind == kind if kind else b.kind not in ("view", "augmentation"))]


def _lines(chip: str) -> tuple[str, ...]:
    """A chip that is wider than a box's words may be as two: what was, and what is."""
    before, arrow, after = chip.partition(" → ")
    return (before, f"→ {after}") if arrow and width(chip, NOTE) > WRAP else (chip,)


def _copies(method: Method, net: str) -> list[str]:
    return [name for name in method.targets if method.net_of(name) == net]
