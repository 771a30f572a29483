"""Whether exchanging two views maps a method onto itself; then one half of its losses says everything."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Any

from sslgraph.wire.graph import Graph, Leg, Value


@dataclass(frozen=True)
class Symmetry:
    """The views that change places, and for each loss that is left out the one that stands for it.

    `apart` names, for a loss that is drawn, the ports at which its mirror image reads another form of the same mask.
    """

    views: tuple[str, str]
    mirrors: dict[str, str]  # loss that is left out -> loss that is drawn
    apart: dict[str, tuple[str, ...]]


def symmetry(graph: Graph, leg: Leg) -> Symmetry | None:
    """The first pair of views whose exchange sends every loss of the leg to a loss of the leg, some to another one."""
    views = list(dict.fromkeys(str(value.view) for value in leg.values.values() if value.kind == "view"))
    for one, other in combinations(views, 2):
        is_alike = graph.method.views[one].copies == graph.method.views[other].copies
        if is_alike and (found := _under(graph, leg, one, other)):
            return found
    return None


def _under(graph: Graph, leg: Leg, one: str, two: str) -> Symmetry | None:
    swap = {one: two, two: one}
    mirrors: dict[str, str] = {}
    apart: dict[str, tuple[str, ...]] = {}
    formulas = _Formulas(graph, leg, swap)
    for loss in leg.losses:
        images = ((other, ports) for other in leg.losses if (ports := formulas.apart(loss, other)) is not None)
        if (image := next(images, None)) is None:
            return None
        partner, ports = image
        if partner.name != loss.name and loss.name not in mirrors:
            mirrors[partner.name] = loss.name
            apart[loss.name] = ports
    return Symmetry((one, two), mirrors, apart) if mirrors else None


class _Formulas:
    """Values written out down to the views, as they stand and with two views exchanged."""

    def __init__(self, graph: Graph, leg: Leg, swap: dict[str, str]) -> None:
        self.graph, self.leg = graph, leg
        self.plain = self._writer({})
        self.swapped = self._writer(swap)

    def _writer(self, swap: dict[str, str]) -> Any:
        @cache
        def written(name: str) -> tuple[Any, ...]:
            value = self.leg.values[name]
            view = swap.get(str(value.view), value.view)
            inputs = tuple((port, written(source)) for port, source in value.inputs)
            return value.kind, value.box, value.port, value.member, view, inputs

        return written

    def apart(self, loss: Value, other: Value) -> tuple[str, ...] | None:
        """The ports at which the mirror image of `loss` reads another form of what `other` reads; None: no image."""
        if self._said(loss) != self._said(other) or [p for p, _ in loss.inputs] != [p for p, _ in other.inputs]:
            return None
        ports = []
        for (port, mine), (_, theirs) in zip(loss.inputs, other.inputs, strict=True):
            if self.swapped(mine) != self.plain(theirs):
                if self._core(mine) != self._core(theirs) or not self._is_mask(mine):
                    return None
                ports.append(port)
        return tuple(ports)

    def _said(self, loss: Value) -> tuple[Any, ...]:
        box = self.graph.loss(loss.name)
        return box.use, repr(box.settings), repr(box.spec.weight), repr(box.spec.trains)

    def _core(self, name: str) -> str:
        """A value without the wiring around it: of transpose(pairs), pairs."""
        value = self.leg.values[name]
        while value.box and self.graph.boxes[value.box].section == "wiring" and len(value.inputs) == 1:
            value = self.leg.values[value.inputs[0][1]]
        return value.name

    def _is_mask(self, name: str) -> bool:
        """Whether a value is made of truth values or whole numbers, through which nothing is learned."""
        value = self.leg.values[self._core(name)]
        box = self.graph.maker(value)
        return box is not None and bool(box.signature.outputs) and box.signature.outputs[0].is_integer
