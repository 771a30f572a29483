"""Named edges that a run can watch: where rows of features leave a net, and what goes into each loss."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from sslgraph.settle.sized import Piece, SizedLeg
from sslgraph.wire.graph import Graph, Leg, Value

SCORES = "prototypes"  # the last axis of a port that takes scores over prototypes, to which a softmax belongs


@dataclass(frozen=True)
class Edge:
    """What a net gives for the first views that it is called on.

    `name` is the net and the first of these views (f.x1), `tensor` its name in the program: `rows` of the global batch
    with `width` numbers each, `views` of every sample one after the other. Where it holds one view, `other` is the same
    net's tensor for another.
    """

    name: str
    net: str
    value: str
    tensor: str
    views: int
    width: int
    rows: int
    other: str | None = None
    is_scores: bool = False


def edges(graph: Graph, sized: SizedLeg) -> tuple[Edge, ...]:
    """One edge for each net and target of the training leg, in the order of the flow."""
    found: dict[str, Edge] = {}
    scores = _scores(graph, sized.leg)
    for value in sized.leg.values.values():
        net, view = _net(graph, sized.leg, value), _first_view(sized.leg, value)
        piece = sized.pieces[value.name][0]
        rows = sized.tensors.get(piece.tensor)
        if net is None or view is None or not isinstance(rows, Tensor) or rows.ndim < 2 or not rows.is_floating_point():
            continue
        first = found.get(net)
        if first is None:
            width = rows.shape[1] if rows.ndim in (2, 4) else rows.shape[-1]
            what = f"{net}.{view}", net, value.name, piece.tensor, piece.views
            found[net] = Edge(*what, width, rows.numel() // width, is_scores=value.name in scores)
        elif first.other is None and first.views == 1 and _is_alike(sized, first, piece):
            found[net] = replace(first, other=piece.tensor)
    return tuple(found.values())


def loss_inputs(sized: SizedLeg) -> dict[str, dict[str, str]]:
    """For each loss its ports, and the tensors that go into them."""
    losses = {loss.name for loss in sized.leg.losses}
    return {step.name: dict(step.inputs) for step in sized.steps if step.kind == "call" and step.name in losses}


def _net(graph: Graph, leg: Leg, value: Value) -> str | None:
    """The net or target whose output a value is, at once or through a port."""
    call = leg.values[value.inputs[0][1]] if value.kind == "port" else value
    box = graph.maker(call) if call.kind == "call" else None
    return box.name if box and box.section in ("nets", "targets") else None


def _first_view(leg: Leg, value: Value) -> str | None:
    if value.kind == "view":
        return value.view
    return next((view for _, source in value.inputs if (view := _first_view(leg, leg.values[source]))), None)


def _scores(graph: Graph, leg: Leg) -> set[str]:
    calls = [(graph.boxes[value.box].signature.inputs, value.inputs) for value in leg.values.values() if value.box]
    return {source for ports, inputs in calls for port, source in inputs if (ports[port].axes or ("",))[-1] == SCORES}


def _is_alike(sized: SizedLeg, first: Edge, piece: Piece) -> bool:
    one, other = sized.tensors[first.tensor], sized.tensors[piece.tensor]
    return first.tensor != piece.tensor and isinstance(other, Tensor) and one.shape == other.shape
