"""Rules about the sides of a loss: which one is trained, and how long their rows are."""

from __future__ import annotations

from collections.abc import Iterator

from sslgraph.wire.gradients import moved_by
from sslgraph.wire.graph import Graph

from .loss_rules import WEIGHTS
from .queries import agreements, box_of, calls, has_unit_length, nets, without_unit_length, written
from .rule import Doubt, Facts, rule


@rule("SG110", "arXiv:1911.05722, Algorithm 1; arXiv:2006.07733, equation 2")
def sides_exchanged(graph: Graph, _: Facts) -> Iterator[Doubt]:
    """The side that is trained comes first."""
    reaches = moved_by(graph, graph.training)
    for loss, box, one, other in agreements(graph):
        if reaches[other] and not reaches[one]:
            first, second = box.traits.agrees
            yield Doubt(
                loss.path,
                f"the {first} of '{box.name}' is '{one}', which nothing trains, and its {second} '{other}', which is "
                "trained: they are the wrong way round",
                f"write of: [{other}, {one}]",
            )


@rule("SG113", "arXiv:2104.14294, Algorithm 1; arXiv:2006.09882, section 3")
def gradient_into_what_is_given(graph: Graph, _: Facts) -> Iterator[Doubt]:
    """A distribution that a loss takes as given is not trained by it."""
    reaches = moved_by(graph, graph.training)
    for loss, box in calls(graph):
        inputs = dict(loss.inputs)
        for port in (port for port in box.traits.fixed if port in inputs and reaches[inputs[port]]):
            others = [source for name, source in loss.inputs if name not in box.traits.detached and name != port]
            trained = ", ".join(sorted(reaches[inputs[port]]))
            is_turned = not any(reaches[source] for source in others)
            yield Doubt(
                loss.path,
                f"'{box.name}' takes its {port} as given, and '{inputs[port]}' there trains {trained}"
                + (", while nothing else at it is trained: they stand the wrong way round" if is_turned else ""),
                "exchange them in of:"
                if is_turned
                else f"write stopgrad({inputs[port]}), or let a target make it; if both are to be trained, say why: "
                'lint: {SG113: "..."}',
            )


@rule("SG116", "arXiv:2002.05709, table 5; arXiv:1805.01978, section 3.1")
def one_side_of_unit_length(graph: Graph, _: Facts) -> Iterator[Doubt]:
    """Both sides of a comparison have unit length, or neither."""
    passed = nets(graph)
    for value, box in calls(graph):
        inputs = dict(value.inputs)
        is_distance = box.traits.compares == "distance" and box.traits.agrees[0] in inputs
        ports = box.traits.agrees if is_distance else box.traits.multiplies
        sides = [inputs[port] for port in ports if port in inputs]
        if len(sides) != 2 or (is_distance and not passed[sides[0]] & passed[sides[1]]):
            continue
        for unit, other in (sides, sides[::-1]):
            raw = without_unit_length(graph, other)
            made_by = box_of(graph, raw) if raw else None
            if made_by and made_by.traits.role in WEIGHTS and not is_distance:
                continue
            if raw and has_unit_length(graph, unit):
                text = written(graph, raw)
                yield Doubt(
                    value.path,
                    f"'{box.name}' ({box.use}) compares '{written(graph, unit)}', whose rows have unit length, "
                    f"with '{text}', whose rows have any",
                    f"write l2({text}), or leave the other l2(...) out",
                )
