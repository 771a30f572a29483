"""Which loss reaches which parameters: gradient, frozen, dead or a copy. Found from the wiring, without tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sslgraph.read.spec import Average
from sslgraph.wire.graph import Graph, Leg, NetBox, TargetBox, Value

Cell = Literal["gradient", "EMA", "snapshot", "frozen", "dead", "-"]


@dataclass(frozen=True)
class GradientMap:
    """Rows are nets, what in them never moves, and targets; columns are the losses.

    `reaches` says which nets the gradient of each value would move.
    """

    losses: tuple[str, ...]
    rows: dict[str, tuple[Cell, ...]]
    reaches: dict[str, frozenset[str]]  # value of the training leg -> nets that a gradient at it would move

    def __str__(self) -> str:
        widths = [max(map(len, self.rows)), *(max(8, len(loss)) for loss in self.losses)]
        table = [("", *self.losses), *((name, *cells) for name, cells in self.rows.items())]
        lines = ["  ".join(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True)) for row in table]
        return "\n".join(line.rstrip() for line in lines)


def gradient_map(graph: Graph) -> GradientMap:
    """The map of the training leg; a net is dead if no loss reaches it, frozen if the spec says so."""
    leg = graph.training
    reaches = moved_by(graph, leg)
    losses = leg.losses
    rows: dict[str, tuple[Cell, ...]] = {}
    for name, box in graph.boxes.items():
        if isinstance(box, NetBox):
            rows[name] = tuple("gradient" if name in trained_by(graph, loss, reaches) else "-" for loss in losses)
            if "gradient" not in rows[name]:
                missing: Cell = "frozen" if box.spec.is_frozen else "dead"
                rows[name] = (missing,) * len(losses)
            for inner in box.spec.fixed:
                rows[f"{name}.{inner}"] = tuple("frozen" for _ in losses)
        elif isinstance(box, TargetBox):
            cell: Cell = "EMA" if isinstance(box.spec, Average) else "snapshot"
            rows[name] = tuple(cell for _ in losses)
    return GradientMap(tuple(loss.name for loss in losses), rows, reaches)


def trained_by(graph: Graph, loss: Value, reaches: dict[str, frozenset[str]]) -> frozenset[str]:
    """The nets whose weights this loss moves: those its gradient reaches, less those that its `trains:` leaves out."""
    trains = graph.loss(loss.name).spec.trains
    return reaches[loss.name] if trains is None else reaches[loss.name] & frozenset(trains)


def moved_by(graph: Graph, leg: Leg) -> dict[str, frozenset[str]]:
    """For each value of a leg, the trained nets upstream of it on a path that gradient passes."""
    reaches: dict[str, frozenset[str]] = {}
    for value in leg.values.values():
        reaches[value.name] = _upstream(graph, leg, value, reaches)
    return reaches


def _upstream(graph: Graph, leg: Leg, value: Value, reaches: dict[str, frozenset[str]]) -> frozenset[str]:
    if value.kind in ("view", "given"):
        return frozenset()
    box = graph.maker(value)
    if is_integer(graph, leg, value):
        return frozenset()
    detached = box.traits.detached if box else ()
    above = frozenset().union(
        *(reaches[source] for port, source in value.inputs if port not in detached and "*" not in detached)
    )
    if box is None or box.section in ("ops", "wiring", "losses"):
        return above
    if isinstance(box, NetBox):
        return above if box.spec.is_frozen else above | {box.name}
    return frozenset()


def is_integer(graph: Graph, leg: Leg, value: Value) -> bool:
    """Whether a value is whole numbers or truth values by the annotation of the part that makes it."""
    call = leg.values[value.inputs[0][1]] if value.kind == "port" else value
    ports = {p.name: p for p in graph.boxes[call.box].signature.outputs} if call.box else {}
    port = ports.get(value.port or "")
    return port is not None and port.is_integer
