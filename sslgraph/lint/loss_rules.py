"""Rules about losses: what keeps a constant output from being the best, temperatures, unit length, whole batches."""

from __future__ import annotations

from collections.abc import Iterator

from sslgraph.gradients import moved_by
from sslgraph.graph import Box, Graph, Value
from sslgraph.schedules import schedule

from .queries import boxes, calls, highest, nets, parts_upstream, setting, width, without_unit_length
from .rule import Doubt, Facts, Rule

COSINE = ("losses.cosine_regression", "losses.negative_cosine", "losses.pixel_agreement")
DOT_PRODUCT = ("losses.nt_xent", "losses.info_nce")
# The value for a batch is not the mean of the values for its parts, unless rows of other steps are compared with.
SPANNING = ("losses.nt_xent", "losses.barlow_twins", "losses.info_nce", "assignments.sinkhorn")
# What publications found to work, with a margin.
RANGES = {
    "losses.nt_xent": ("temperature", 0.03, 1.0),
    "losses.info_nce": ("temperature", 0.03, 1.0),
    "losses.swav": ("temperature", 0.03, 1.0),
    "assignments.sinkhorn": ("epsilon", 0.01, 0.2),
}


def agreement_without_stop(graph: Graph, _: Facts) -> Iterator[Doubt]:
    reaches = moved_by(graph, graph.training)
    for loss, box, one, other in _unguarded(graph):
        if reaches[one] and reaches[other]:
            yield Doubt(
                loss.path,
                f"both sides of '{box.name}' are trained and nothing pushes images apart: a constant output is its "
                "best",
                "stop one side with stopgrad(...), or let a target make it",
            )


def agreement_without_predictor(graph: Graph, _: Facts) -> Iterator[Doubt]:
    for loss, box, one, other in _unguarded(graph):
        if nets(graph, one) == nets(graph, other):
            yield Doubt(
                loss.path,
                f"both sides of '{box.name}' pass the same nets and nothing pushes images apart: outputs become "
                "constant",
                "give one side a predictor of its own: q(g(f(x)))",
            )


def teacher_without_centre(graph: Graph, _: Facts) -> Iterator[Doubt]:
    for value, box in calls(graph, "losses.dino"):
        inputs = dict(value.inputs)
        is_balanced = any(part.signature.family == "assignments" for part in parts_upstream(graph, inputs["teacher"]))
        if "center" not in inputs and not is_balanced:
            yield Doubt(
                value.path,
                f"nothing centres the teacher of '{box.name}': one output comes to win for every image",
                "declare a state that uses memory.center and write center: center.read",
            )


def teacher_no_sharper_than_the_student(graph: Graph, _: Facts) -> Iterator[Doubt]:
    for box in boxes(graph, "losses.dino"):
        teacher, student = (highest(schedule(setting(box, f"{who}_temperature"))) for who in ("teacher", "student"))
        if teacher >= student:
            yield Doubt(
                (*box.path, "teacher_temperature"),
                f"the teacher of '{box.name}' ({teacher:g}) is no sharper than its student ({student:g}): outputs "
                "become uniform",
                "published: 0.04 to 0.07 against 0.1",
            )


def contrast_of_raw_rows(graph: Graph, _: Facts) -> Iterator[Doubt]:
    for value, box in calls(graph, *DOT_PRODUCT):
        raw = {found: port for port, source in reversed(value.inputs) if (found := without_unit_length(graph, source))}
        for name, port in raw.items():
            yield Doubt(
                value.path,
                f"'{box.name}' compares dot products, and '{name}' at its port '{port}' has no unit length",
                f"write l2({name})",
            )


def temperature_out_of_range(graph: Graph, _: Facts) -> Iterator[Doubt]:
    for box in boxes(graph, *RANGES):
        key, low, high = RANGES[box.use]
        values = schedule(setting(box, key)).values
        if not all(low <= value <= high for value in values):
            yield Doubt(
                (*box.path, key),
                f"{key} of '{box.name}' is {', '.join(f'{v:g}' for v in values)}, far from what publications use",
                f"they lie between {low:g} and {high:g}; smaller sharpens, larger makes all images alike",
            )


def more_prototypes_than_rows(graph: Graph, facts: Facts) -> Iterator[Doubt]:
    for value, box in calls(graph, "assignments.sinkhorn"):
        inputs = dict(value.inputs)
        prototypes = width(graph, inputs["scores"])
        if facts.batch and prototypes and prototypes > facts.batch and "queue" not in inputs:
            yield Doubt(
                value.path,
                f"'{box.name}' spreads {facts.batch:,} rows over {prototypes:,} prototypes, so most stay empty",
                "give it older rows from a queue, or fewer prototypes",
            )


def spanning_loss_in_pieces(graph: Graph, facts: Facts) -> Iterator[Doubt]:
    for value, box in calls(graph, *SPANNING) if facts.accumulate > 1 else ():
        if {"negatives", "queue"}.isdisjoint(dict(value.inputs)):
            piece = f"the {facts.batch // facts.accumulate:,} images" if facts.batch else "the images"
            yield Doubt(
                value.path,
                f"'{box.name}' compares {piece} of a micro-batch, not those of the whole batch",
                "accumulation changes this method: lower accumulate:, or use more ranks",
            )


def _unguarded(graph: Graph) -> Iterator[tuple[Value, Box, str, str]]:
    """Agreements with their two sides; a loss of another kind on the same nets may push images apart, and guards."""
    reaches = moved_by(graph, graph.training)
    others = [reaches[loss.name] for loss in graph.training.losses if graph.boxes[loss.name].use not in COSINE]
    for loss, box in calls(graph, *COSINE):
        if all(reaches[loss.name].isdisjoint(other) for other in others):
            yield loss, box, loss.inputs[0][1], loss.inputs[1][1]


LOSS_RULES = (
    Rule(
        "SG101",
        "Where nothing pushes images apart, one side of an agreement is held still.",
        "arXiv:2011.10566, section 4.1",
        agreement_without_stop,
    ),
    Rule(
        "SG102",
        "Where nothing pushes images apart, one side has a predictor.",
        "arXiv:2011.10566, section 4.2; arXiv:2006.07733, table 5b",
        agreement_without_predictor,
    ),
    Rule(
        "SG103",
        "A teacher's outputs are centred or balanced.",
        "arXiv:2104.14294, section 5.3; dinov2#407",
        teacher_without_centre,
    ),
    Rule(
        "SG104",
        "A teacher is sharper than its student.",
        "arXiv:2104.14294, section 5.3; dino#43",
        teacher_no_sharper_than_the_student,
    ),
    Rule(
        "SG105",
        "Rows whose dot products are compared have unit length.",
        "arXiv:2002.05709, table 5",
        contrast_of_raw_rows,
    ),
    Rule(
        "SG106",
        "A temperature lies where publications found it to work.",
        "arXiv:2002.05709, table 5; arXiv:2006.09882, section 4",
        temperature_out_of_range,
    ),
    Rule(
        "SG107",
        "Sinkhorn spreads at least as many rows as there are prototypes, or has a queue.",
        "arXiv:2006.09882; swav#42",
        more_prototypes_than_rows,
    ),
    Rule(
        "SG108",
        "A loss that compares the images of a batch sees the whole batch.",
        "arXiv:2002.05709, section 2.1; moco#98",
        spanning_loss_in_pieces,
    ),
)
