"""Expressions without some ideas: what a loss would read without slow copies or stop-gradients."""

from __future__ import annotations

from collections.abc import Iterable

from .changes import Rewired
from .compare import Comparison
from .figure import Figure
from .idea import Carrier

_UNWRAPPED = ("nets", "wiring")


class Essence:
    """Both figures without the nodes that carry some ideas: a slow copy reads as its net, a stop as what it stops."""

    def __init__(self, comparison: Comparison, carriers: Iterable[Carrier]) -> None:
        self.comparison = comparison
        stops = {*comparison.one.stops, *comparison.other.stops}
        self.carriers = {*carriers, *(("wiring", name) for name in stops)}
        self.table: dict[object, int] = {}  # equal nodes have one number
        self.numbers: dict[tuple[int, int], int] = {}

    def is_same(self, change: Rewired) -> bool:
        """Whether the two readings differ by these ideas only."""
        one, other = self.comparison.one, self.comparison.other
        return self._of(one, change.one, change.port, 0) == self._of(other, change.other, change.port, 1)

    def _of(self, figure: Figure, loss: str, port: str, side: int) -> int:
        leg = figure.training
        read = figure.wires(leg.losses[loss], leg) if loss in leg.losses else {}
        return self._node(figure, figure.read(read[port], leg), side) if port in read else -1 - side

    def _node(self, figure: Figure, number: int, side: int) -> int:
        if (side, number) not in self.numbers:
            self.numbers[side, number] = self._numbered(figure, number, side)
        return self.numbers[side, number]

    def _numbered(self, figure: Figure, number: int, side: int) -> int:
        node = figure.nodes[number]
        inputs = tuple(self._node(figure, i, side) for i in node.inputs)
        section = figure.declared.get(node.name, "views" if node.kind == "view" else "wiring")
        kind = section.removesuffix("s") if section in ("nets", "targets", "ops", "views") else section
        if (kind, node.name) in self.carriers and node.kind in _UNWRAPPED and len(inputs) == 1:
            return inputs[0]
        key: object = (node.kind, self._name(section, node.name, side), inputs)
        if ("target", node.name) in self.carriers and node.kind == "targets":
            key = ("nets", self._name("nets", figure.method.net_of(node.name), side), inputs)
        return self.table.setdefault(key, len(self.table))

    def _name(self, section: str, name: str, side: int) -> object:
        """The number of the pair that a node belongs to; what has no partner keeps its name and side."""
        pairs = self.comparison.match.pairs.get(section)
        if pairs is None:
            return name
        return next((i for i, pair in enumerate(pairs) if pair[side] == name), (name, side))
