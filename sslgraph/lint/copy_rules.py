"""Rules about slow copies: what is kept of them, what they see, and which of their views meet which."""

from __future__ import annotations

from collections.abc import Iterator

from sslgraph.wire.graph import Box, Graph, NetBox, TargetBox, Value

from .queries import agreements, box_of, calls, carriers, origins, setting, shared, sights, written
from .rule import Doubt, Facts, rule


@rule("SG010", "arXiv:1911.05722, Algorithm 1; arXiv:2104.14294, Algorithm 1")
def kept_of_the_trained_net(graph: Graph, _: Facts) -> Iterator[Doubt]:
    """A queue, or a centre, that is compared with what a slow copy makes holds what the copy makes."""
    for write in graph.training.writes:
        keeper = graph.boxes[write.box]
        for _port, source in write.inputs if keeper.traits.role in ("queue", "centre") else ():
            makers = [box for _, box in _upstream(graph, source)]
            trained = {box.name for box in makers if isinstance(box, NetBox) and not box.spec.is_frozen}
            met = None if any(isinstance(box, TargetBox) for box in makers) else _met(graph, keeper, trained)
            if met:
                copy, theirs = met
                yield Doubt(
                    write.path,
                    f"'{keeper.name}' is compared with '{theirs}', which the slow copy '{copy.name}' makes, and is "
                    f"given '{written(graph, source)}', which the trained '{copy.net}' makes",
                    f"let the copy make it: {keeper.name}.{write.method}({theirs})",
                )


def _met(graph: Graph, keeper: Box, trained: set[str]) -> tuple[TargetBox, str] | None:
    """A copy of one of these nets that alone makes what a part takes beside what a state holds; and that as written."""
    for value, _ in calls(graph):
        held = [source for _, source in value.inputs if any(box is keeper for _, box in _upstream(graph, source))]
        for _, source in value.inputs if held else ():
            made_by = _makers(graph, source) if source not in held else []
            copy = made_by[0] if len(made_by) == 1 else None
            if isinstance(copy, TargetBox) and copy.net in trained:
                return copy, written(graph, source)
    return None


def _makers(graph: Graph, name: str) -> list[Box]:
    """The last nets, copies and states that the rows of a value pass: "g" of l2(g(f(x)))."""
    found, ways = list[Box](), [name]
    for way in ways:
        box = box_of(graph, way)
        if box and box.section in ("nets", "targets", "state"):
            found += [box] if box not in found else []
        else:
            ways += [source for _, source in carriers(graph, way) if source not in ways]
    return found


@rule("SG119", "arXiv:2111.07832, section 3.1; arXiv:2202.03555, section 3.2")
def copy_that_sees_no_more(graph: Graph, _: Facts) -> Iterator[Doubt]:
    """A slow copy sees what is hidden from the net that is to predict it."""
    seen = sights(graph)
    for loss in graph.training.losses:
        found = _upstream(graph, loss.name)
        masked = {
            (box.net, *one): value for value, box in found if isinstance(box, NetBox) for one in _hidden(box, value)
        }
        for value, box in found:
            if not isinstance(box, TargetBox):
                continue
            own = [masked[key] for one in _hidden(box, value) if (key := (box.net, *one)) in masked]
            is_all = all(_hidden(other, call) for call, other in found if other is box)
            if is_all and any(len(seen[value.name]) == 1 and seen[call.name] == seen[value.name] for call in own):
                yield Doubt(
                    value.path,
                    f"'{box.name}' has the same patches hidden as '{box.net}', so that '{loss.name}' asks what neither "
                    "of them sees",
                    f"let '{box.name}' see the whole image: leave the mask out of its call",
                )


def _hidden(box: Box, call: Value) -> list[tuple[str, str]]:
    """The ports at which truth values say which places a net doesn't see, with what is given there."""
    inputs = box.signature.inputs
    return [
        (port, source)
        for port, source in call.inputs
        if port in box.traits.hides and inputs[port].kind == "truth values"
    ]


@rule("SG120", "arXiv:2104.14294, Algorithm 1")
def views_in_another_order(graph: Graph, _: Facts) -> Iterator[Doubt]:
    """Where only different views meet, view n of one side is view n of the other."""
    known = origins(graph)
    for loss, box, one, other in agreements(graph):
        choice = box.signature.settings.get("pairs")
        sides = known[one], known[other]
        if not choice or setting(box, "pairs") != "different_views" or not (sides[0] and sides[1]):
            continue
        students, teachers = ([shared(graph, view) for view in views] for views in sides if views)
        first, second = box.traits.agrees
        itself = [view for n, view in enumerate(teachers) if view in students and students.index(view) != n]
        if itself:
            yield Doubt(
                loss.path,
                f"view n of the {second} of '{box.name}' is to be view n of its {first}; they have "
                f"{', '.join(teachers)} and {', '.join(students)}, so that {itself[0]} meets itself",
                f"let both bags begin with the same views, or give the {second} others",
            )
        elif set(teachers).isdisjoint(students):
            yield Doubt(
                loss.path,
                f"'{box.name}' leaves {students[0]} with {teachers[0]} out, as if they were one view",
                "write pairs: all",
            )


def _upstream(graph: Graph, name: str) -> list[tuple[Value, Box]]:
    """The calls that a value is computed by, each with its part."""
    values = graph.training.values
    return [(values[each], box) for each in graph.training.upstream(name) if (box := box_of(graph, each)) is not None]
