"""Rules about losses: what keeps a constant output from being the best, temperatures, unit length, whole batches."""

from __future__ import annotations

from collections.abc import Iterator

from sslgraph.parts import registry
from sslgraph.wire.gradients import moved_by
from sslgraph.wire.graph import Box, Graph, Value

from .queries import (
    agreements,
    box_of,
    calls,
    has_unit_length,
    is_guarded,
    nets,
    origins,
    parts_upstream,
    spans_batch,
    values,
    width,
    without_unit_length,
    written,
)
from .rule import Doubt, Facts, rule

WEIGHTS = ("rows", "prototypes")  # as weights of a classifier, rows that are trained learn their lengths


@rule("SG101", "arXiv:2011.10566, section 4.1")
def agreement_without_stop(graph: Graph, _: Facts) -> Iterator[Doubt]:
    """Where nothing pushes images apart, one side of an agreement is held still."""
    reaches = moved_by(graph, graph.training)
    for loss, box, one, other in _unguarded(graph):
        if reaches[one] and reaches[other]:
            yield Doubt(
                loss.path,
                f"both sides of '{box.name}' are trained and nothing pushes images apart: a constant output is its "
                "best",
                "stop one side with stopgrad(...), or let a target make it",
            )


@rule("SG102", "arXiv:2011.10566, section 4.2; arXiv:2006.07733, table 5b")
def agreement_without_predictor(graph: Graph, _: Facts) -> Iterator[Doubt]:
    """Where nothing pushes images apart, one side has a predictor."""
    passed = nets(graph)
    for loss, box, one, other in _unguarded(graph):
        if passed[one] == passed[other] and not _predicts_by_a_state(graph, one, other):
            yield Doubt(
                loss.path,
                f"both sides of '{box.name}' pass the same nets and nothing pushes images apart: outputs become "
                "constant",
                "give one side a predictor of its own: q(g(f(x)))",
            )


def _predicts_by_a_state(graph: Graph, *sides: str) -> bool:
    """Whether a trained side passes a state that the other does not: a predictor set from statistics (DirectPred)."""
    reaches = moved_by(graph, graph.training)
    kept = [{box.name for box in parts_upstream(graph, side) if box.section == "state"} for side in sides]
    return any(reaches[side] and kept[i] - kept[1 - i] for i, side in enumerate(sides))


@rule("SG109", "arXiv:2011.10566, Algorithm 1; arXiv:2002.05709, section 2.1")
def views_paired_with_themselves(graph: Graph, _: Facts) -> Iterator[Doubt]:
    """What a loss brings together comes from two views."""
    known, passed = origins(graph), nets(graph)
    for value, box in calls(graph):
        sources = [source for _, source in value.inputs]
        same = [f"'{port}'" for port, source in value.inputs if sources.count(source) > 1]
        if same and box.section == "losses":
            problem = f"{' and '.join(same)} of '{box.name}' are one value"
            yield Doubt(value.path, problem, "give one of them another view")
    for loss, box, one, other in agreements(graph):
        views, theirs = known[one], known[other]
        sides = [part for side in (one, other) for part in parts_upstream(graph, side)]
        is_hidden = any(part.traits.role == "mask" or part.traits.cuts for part in sides)  # other places of the view
        is_meant = is_hidden or any(port.is_bag for port in box.signature.inputs.values())
        if one != other and views and views == theirs and passed[one] & passed[other] and not is_meant:
            several = len(views) > 1
            yield Doubt(
                loss.path,
                f"both inputs of '{box.name}' come from the same view"
                + (f": it pairs each of {', '.join(views)} with itself" if several else f", {views[0]}"),
                "name the views of a bag: z[0] and z[1]" if several else "give one side another view",
            )


@rule("SG103", "arXiv:2104.14294, section 5.3; facebookresearch/dinov2#407")
def teacher_without_centre(graph: Graph, _: Facts) -> Iterator[Doubt]:
    """A teacher's outputs are centred or balanced."""
    for value, box, _student, teacher in agreements(graph):
        port = box.traits.centred_by
        is_balanced = any(part.traits.role == "codes" for part in parts_upstream(graph, teacher))
        if port and port not in dict(value.inputs) and not is_balanced:
            state = " or ".join(registry.with_role("centre"))
            yield Doubt(
                value.path,
                f"nothing centres the {box.traits.agrees[1]} of '{box.name}': one output comes to win for every image",
                f"declare a state that uses {state}, and write {port}: STATE.read",
            )


@rule("SG104", "arXiv:2104.14294, section 5.3; facebookresearch/dino#43")
def teacher_no_sharper_than_the_student(graph: Graph, _: Facts) -> Iterator[Doubt]:
    """A teacher is sharper than its student."""
    for box in graph.boxes.values():
        student, teacher = box.traits.agrees
        soft, sharp = values(box, f"{student}_temperature"), values(box, f"{teacher}_temperature")
        if soft and sharp and max(sharp) >= max(soft):
            yield Doubt(
                (*box.path, f"{teacher}_temperature"),
                f"the {teacher} of '{box.name}' ({max(sharp):g}) is no sharper than its {student} ({max(soft):g}): "
                "outputs become uniform",
                "published: 0.04 to 0.07 against 0.1",
            )


@rule("SG105", "arXiv:2002.05709, table 5")
def contrast_of_raw_rows(graph: Graph, _: Facts) -> Iterator[Doubt]:
    """Rows whose dot products are compared have unit length."""
    told = set[tuple[str, str]]()
    for value, box in calls(graph):
        is_sharp = any(box.traits.multiplies) and max(values(box, "temperature"), default=1.0) < 1
        if not is_sharp and (value.kind != "loss" or box.traits.rows != "unit"):
            continue
        raw = {found: port for port, source in reversed(value.inputs) if (found := without_unit_length(graph, source))}
        made = [maker for name in raw if (maker := box_of(graph, name)) and maker.traits.role not in WEIGHTS]
        if is_sharp and (len(made) < len(raw) or not all(without_unit_length(graph, s) for _, s in value.inputs)):
            continue  # a classifier; of one side alone SG116 speaks
        for name, port in raw.items():
            if (box.name, name) in told:
                continue
            told.add((box.name, name))
            text = written(graph, name)
            yield Doubt(
                value.path,
                f"'{box.name}' compares dot products, and '{text}' at its port '{port}' has no unit length",
                f"write l2({text})",
            )


@rule("SG106", "arXiv:2002.05709, table 5; arXiv:2006.09882, section 4")
def setting_out_of_range(graph: Graph, _: Facts) -> Iterator[Doubt]:
    """A setting is in the range that publications found to work."""
    of_any_length = {
        box.name
        for value, box in calls(graph)
        if any(box.traits.multiplies) and not all(has_unit_length(graph, source) for _, source in value.inputs)
    }
    for box in graph.boxes.values():
        for key, (low, high) in box.traits.sane.items():
            found = values(box, key)
            if box.name not in of_any_length and not all(low <= value <= high for value in found):
                yield Doubt(
                    (*box.path, key),
                    f"{key} of '{box.name}' is {', '.join(f'{v:g}' for v in found)}, far from what publications use",
                    f"choose a value between {low:g} and {high:g}",
                    box.traits.source,
                )


@rule("SG107", "arXiv:2006.09882; facebookresearch/swav#42")
def more_prototypes_than_rows(graph: Graph, facts: Facts) -> Iterator[Doubt]:
    """Sinkhorn spreads at least as many rows as there are prototypes, or has a queue."""
    for value, box in calls(graph):
        if box.traits.role != "codes" or not value.inputs or box.traits.older in dict(value.inputs):
            continue
        prototypes = width(graph, value.inputs[0][1])
        if facts.batch and prototypes and prototypes > facts.batch:
            yield Doubt(
                value.path,
                f"'{box.name}' spreads {facts.batch:,} rows over {prototypes:,} prototypes, so most stay empty",
                "give it older rows from a queue, or fewer prototypes",
            )


@rule("SG108", "arXiv:2002.05709, section 2.1; facebookresearch/moco#98")
def spanning_loss_in_pieces(graph: Graph, facts: Facts) -> Iterator[Doubt]:
    """A loss that compares the images of a batch sees the whole batch."""
    for value, box in calls(graph) if facts.accumulate > 1 else ():
        if spans_batch(graph, value, box) and box.traits.older not in dict(value.inputs):
            piece = f"the {facts.batch // facts.accumulate:,} images" if facts.batch else "the images"
            compares = box.traits.spans_batch and box.traits.unless not in dict(value.inputs)
            does = "compares" if compares else "is a mean over all places of"
            yield Doubt(
                value.path,
                f"'{box.name}' {does} {piece} of a micro-batch, not those of the whole batch",
                "accumulation changes this method: lower accumulate:, or use more ranks",
            )


def _unguarded(graph: Graph) -> Iterator[tuple[Value, Box, str, str]]:
    """Agreements with their two sides; a part on the way (whitening) may hold images apart, and guards; so may a loss
    of another kind on the same nets.
    """
    reaches = moved_by(graph, graph.training)
    others = [reaches[loss.name] for loss in graph.training.losses if is_guarded(graph.boxes[loss.name])]
    for loss, box, one, other in agreements(graph):
        spread = any(part.traits.repels for side in (one, other) for part in parts_upstream(graph, side))
        if not (is_guarded(box) or spread) and all(reaches[loss.name].isdisjoint(guarded) for guarded in others):
            yield loss, box, one, other
