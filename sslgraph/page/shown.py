"""A method as the page knows it: its texts, its graph with sizes, and its pictures in every state."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Any

from sslgraph.diff import Figure
from sslgraph.drawing import Box, Panel, Picture, fold, foldable, picture, svg
from sslgraph.drawing.elements.picture import NETS
from sslgraph.drawing.elements.words import count
from sslgraph.drawing.figure.summed import gathered
from sslgraph.wire.graph import NetBox

from .colours import THEME

if TYPE_CHECKING:
    from sslgraph.read.spec import Method
    from sslgraph.settle.sized import SizedGraph

FACETS = ("negatives", "queue", "bank", "EMA", "dense", "tokens")
FOLDS = 3  # branches that can be folded one by one; of more, all or none


@dataclass(frozen=True)
class Shown:
    """A method on the page. `key` is its name in addresses, `texts` its spec and what that extends, by file name."""

    key: str
    line: str
    texts: tuple[tuple[str, str], ...]
    sized: SizedGraph

    @property
    def method(self) -> Method:
        """The spec."""
        return self.sized.graph.method

    @cached_property
    def figure(self) -> Figure:
        """What comparisons read."""
        return Figure(self.method, self.sized.graph.plugins)

    @cached_property
    def paper_level(self) -> Picture:
        """The picture as in the paper."""
        return picture(self.sized)

    @cached_property
    def every_call(self) -> Picture:
        """The picture with a box for each call."""
        return picture(self.sized, level="every-call")

    @property
    def prefix(self) -> str:
        """What its ids in the page begin with: letters, digits and lines, whatever the key is."""
        return f"{re.sub(r'[^A-Za-z0-9]+', '-', self.key)}-"

    @property
    def order(self) -> tuple[int, str, str]:
        """When it was published: its year, then its arXiv number, which counts months and papers."""
        paper = self.method.paper
        return (paper.year if paper else 9999, (paper.arxiv or "") if paper else "", self.key)

    def data(self) -> dict[str, Any]:
        """Everything that the page says of it, as plain values."""
        paper = self.method.paper
        whole = self.paper_level
        lanes = foldable(whole)
        return {
            "key": self.key,
            "name": self.method.method,
            "family": self.method.family,
            "year": paper.year if paper else None,
            "paper": paper.title if paper else "",
            "arxiv": (paper.arxiv or "") if paper else "",
            "line": self.line,
            "facets": [*self._facets()],
            "texts": [list(text) for text in self.texts],
            "facts": self._facts(),
            "lanes": [[lane, _lane_title(whole, lane)] for lane in lanes],
            "pictures": dict(self._states(whole, lanes)),
            "boxes": {
                "paper": _boxes(gathered(whole)) | _folded_boxes(whole, lanes),
                "every-call": _boxes(gathered(self.every_call)),
            },
        }

    def _facets(self) -> Iterator[str]:
        """What can be asked for in the list, as far as it is true of this method."""
        boxes, method = self.sized.graph.boxes.values(), self.method
        roles = {box.traits.role for box in boxes if box.section == "state"}
        axes = {axis for box in boxes if box.section == "nets" for p in box.signature.outputs for axis in p.axes or ()}
        ports = [p for box in boxes if box.section == "losses" for p in box.signature.ports.values()]
        found = {
            "negatives": any(box.traits.repels == "samples" for box in boxes if box.section == "losses"),
            "queue": "queue" in roles,
            "bank": "bank" in roles,
            "EMA": bool(method.averages),
            "dense": method.family == "dense" or any({"rows", "columns"} & set(port.axes or ()) for port in ports),
            "tokens": "tokens" in axes,
        }
        return (name for name in FACETS if found[name])

    def _facts(self) -> list[list[str]]:
        sums = {"trained": 0, "slow copies": 0, "frozen": 0}
        for name, box in self.sized.graph.boxes.items():
            if name in self.sized.parts and box.section in ("nets", "targets"):
                is_frozen = isinstance(box, NetBox) and box.spec.is_frozen
                kind = "slow copies" if box.section == "targets" else "frozen" if is_frozen else "trained"
                sums[kind] += self.sized.parameters(name)
        said = [[kind, f"{count(number)} parameters"] for kind, number in sums.items() if number]
        views = [f"{name}{f' × {view.copies}' if view.copies > 1 else ''}" for name, view in self.method.views.items()]
        legs = [", ".join(loss.name for loss in leg.losses) for leg in self.sized.graph.legs if leg.losses]
        return [*said, ["views", ", ".join(views)], ["losses", ", ".join(legs)], ["kept", self.method.export]]

    def _states(self, whole: Picture, lanes: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """Every picture of the method by its state: "paper", "paper/p1,t2" with these branches folded, "every-call"."""
        for some in folds(lanes):
            shown = fold(whole, *some)
            state = f"paper/{','.join(some)}" if some else "paper"
            yield state, self._drawn(shown, gradients=False)
            yield f"{state} gradients", self._drawn(shown, gradients=True)
        yield "every-call", self._drawn(self.every_call, gradients=False)
        yield "every-call gradients", self._drawn(self.every_call, gradients=True)

    def _drawn(self, shown: Picture, *, gradients: bool) -> str:
        return svg(shown, theme=THEME, gradients=gradients, prefix=self.prefix)


def folds(lanes: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The sets of branches that the page can fold."""
    if len(lanes) > FOLDS:
        return [(), lanes]
    return [some for size in range(len(lanes) + 1) for some in combinations(lanes, size)]


def _lane_title(whole: Picture, lane: str) -> str:
    titles = [frame.title for panel in whole.panels for frame in panel.frames if frame.lane == lane]
    nets = [box for panel in whole.panels for box in panel.boxes if box.lane == lane and box.kind in NETS]
    return titles[0] if titles else " → ".join(box.symbol or box.title for box in nets)


def _folded_boxes(whole: Picture, lanes: tuple[str, ...]) -> dict[str, Any]:
    """The boxes that stand for folded branches."""
    return {key: box for key, box in _boxes(fold(whole, *lanes)).items() if box["members"]}


def _boxes(shown: Picture) -> dict[str, dict[str, Any]]:
    return {box.id: _box(panel, box) for panel in shown.panels for box in panel.boxes}


def _box(panel: Panel, box: Box) -> dict[str, Any]:
    """What the inspector says of a box; what is empty is left out there."""
    feeds = [edge for edge in panel.edges if edge.target == box.id and edge.kind == "data"]
    arrives = [shape for edge in feeds for shape in (edge.shape, *panel.box(edge.source).shapes)[:2] if shape]
    return {
        "title": " ".join(filter(None, (box.title or box.kind, box.symbol))),
        "kind": box.kind,
        "weights": box.weights,
        "sub": box.sub.replace("\n", ", "),
        "use": box.use,
        "about": box.about,
        "source": box.source,
        "settings": [list(setting) for setting in box.settings],
        "parameters": f"{box.parameters:,}" if box.parameters else "",
        "in": ", ".join(dict.fromkeys(arrives)),
        "out": ", ".join(box.shapes),
        "gradient": _gradient(panel, box),
        "lines": [[line.file, line.number] for line in box.lines],
        "members": list(box.members),
        "lane": box.lane,
    }


def _gradient(panel: Panel, box: Box) -> str:
    """Which way the gradient comes to a box, or why none does."""
    if box.kind in (*NETS, "fold"):
        if box.weights == "ema":
            nets = [panel.box(edge.source) for edge in panel.edges if edge.kind == "ema" and edge.target == box.id]
            return f"no gradient: {_copied(nets[0], box)}" if nets else "no gradient"
        if box.trained_by:
            way = " ← ".join([box.symbol or box.title, *_path(panel, box.id)])
            return f"trained by {', '.join(box.trained_by)}: {way}"
        return "no gradient: its weights are not moved here"
    return "no gradient: written after the step" if box.kind == "memory" else ""


def _copied(source: Box, box: Box) -> str:
    whom = f"{source.title} {source.symbol}"
    return f"a snapshot of {whom}" if box.sub.startswith("snapshot") else f"it follows {whom} after each step"


def _path(panel: Panel, start: str) -> list[str]:
    """The boxes from which the gradient comes, the nearest first, the loss last."""
    carrying = [edge for edge in panel.edges if edge.kind == "data" and edge.gradient == "gradient"]
    follows = {edge.source: edge.target for edge in reversed(carrying)}
    path: list[str] = []
    here = start
    while here in follows and len(path) < len(panel.boxes):
        here = follows[here]
        box = panel.box(here)
        path.append(box.symbol or box.title)
    return path
