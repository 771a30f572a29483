"""Rules about the weights that a net starts with."""

from __future__ import annotations

from collections.abc import Iterator

from sslgraph.wire.graph import Graph, NetBox

from .rule import Doubt, Facts, rule


@rule("SG301", "arXiv:2202.10054, section 3.3")
def rate_from_scratch(graph: Graph, facts: Facts) -> Iterator[Doubt]:
    """Given weights are trained with a small rate."""
    for box in graph.boxes.values():
        pace = facts.paces.get(box.name, 0.0)
        if isinstance(box, NetBox) and box.spec.weights is not None and not box.spec.is_frozen and pace > 1:
            yield Doubt(
                (*box.path, "weights"),
                f"'{box.name}' begins with given weights, and its learning rate is {pace:.2g} times the largest that "
                "is usual for going on: it soon forgets what it was given",
                f"lower the rate, or that of '{box.name}' alone: groups: [{{net: {box.name}, "
                f"lr_times: {1 / pace:.1g}}}]",
            )


@rule("SG302", "arXiv:2106.08254, section 2.1")
def frozen_at_random_weights(graph: Graph, _: Facts) -> Iterator[Doubt]:
    """A net that is frozen has weights that somebody trained."""
    for box in graph.boxes.values():
        if isinstance(box, NetBox) and box.spec.is_frozen and box.spec.weights is None:
            yield Doubt(
                box.path,
                f"'{box.name}' is frozen, and nothing says what weights it has: they are random, and stay so",
                f"write weights: FILE, or weights: ${box.name} and give it in the recipe; or train it",
            )
