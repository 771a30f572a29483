"""Rules about the sign of a loss: a negative weight reverses the purpose of the loss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sslgraph.wire.gradients import moved_by
from sslgraph.wire.graph import Graph, Value

from .queries import calls, is_guarded, is_turned, parts_upstream
from .rule import Doubt, Facts, rule


@rule("SG111", "arXiv:2106.04156, equation 6; arXiv:2206.10698, equation 5")
def negative_weight(graph: Graph, _: Facts) -> Iterator[Doubt]:
    """A loss is made small: its weight is positive, or another loss holds images apart."""
    reaches = moved_by(graph, graph.training)
    losses = [(value, box) for value, box in calls(graph) if value.kind == "loss"]
    holding = [reaches[value.name] for value, box in losses if is_guarded(box) and not is_turned(box)]
    for value, box in losses:
        path, is_game = (*box.path, "weight"), graph.loss(value.name).spec.trains is not None
        if is_turned(box) and box.traits.agrees[0] and not is_game:
            first, second = box.traits.agrees
            yield Doubt(
                path,
                f"the weight of '{box.name}' is negative: it drives its {first} and its {second} apart, without end",
                "write a positive weight",
            )
        elif is_turned(box) and "divergence" in box.traits.kind and not is_game:
            yield Doubt(
                path,
                f"the weight of '{box.name}' is negative: it makes the {box.traits.kind} large",
                "write a positive weight",
            )
        elif is_turned(box) and box.traits.repels and not is_game and not _is_held(graph, value, reaches, holding):
            yield Doubt(
                path,
                f"the weight of '{box.name}' is negative: it draws together what the loss holds apart, and no other "
                "loss holds anything apart",
                "add a loss that does, or write a positive weight",
            )


def _is_held(
    graph: Graph, loss: Value, reaches: Mapping[str, frozenset[str]], holding: Sequence[frozenset[str]]
) -> bool:
    """Whether another loss on the same nets holds images apart, or a part on the way does, such as a whitening."""
    spread = any(part.traits.repels for _, source in loss.inputs for part in parts_upstream(graph, source))
    return spread or not all(reaches[loss.name].isdisjoint(held) for held in holding)
