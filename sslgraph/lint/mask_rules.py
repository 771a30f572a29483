"""Rules about masks: what a loss wants of hidden places is hidden from the net that sees the image."""

from __future__ import annotations

from collections.abc import Iterator

from sslgraph.wire.graph import Box, Graph, Value

from .queries import calls
from .rule import Doubt, Facts, rule

HIDES = ("mask", "blocks")  # what a mask shows that leaves places out; a hole is in the image that it gives itself


@rule("SG112", "arXiv:2111.06377, section 3; arXiv:2111.09886, section 3.2")
def nothing_is_hidden(graph: Graph, _: Facts) -> Iterator[Doubt]:
    """What a mask hides is left out or replaced where a net sees the image."""
    takers = {name: box for name, box in graph.boxes.items() if box.traits.hides}
    for mask, box in calls(graph):
        if _is_mask(box) and takers and not _is_hiding(graph, mask):
            name, taker = next(iter(takers.items()))
            yield Doubt(
                mask.path,
                f"nothing is hidden: no net leaves out or replaces what '{box.name}' ({box.use}) hides, so what is to "
                "be predicted is seen",
                "give an output of the mask to the net that sees the image: "
                + " or ".join(f"{name}(..., {port}=...)" for port in taker.traits.hides),
            )


@rule("SG114", "arXiv:2111.06377, section 3; arXiv:2301.08243, section 3")
def outputs_exchanged(graph: Graph, _: Facts) -> Iterator[Doubt]:
    """A net takes that output of a mask which its port is named after."""
    values = graph.training.values
    for value, box in calls(graph):
        for port, source in value.inputs if box.section in ("nets", "targets") else ():
            given = values[source]
            maker = graph.boxes.get(values[given.inputs[0][1]].box or "") if given.kind == "port" else None
            if (
                maker
                and _is_mask(maker)
                and given.port != port
                and port in {output.name for output in maker.signature.outputs}
            ):
                yield Doubt(
                    value.path,
                    f"'{box.name}' takes '{port}', and is given '{given.port}' of '{maker.name}' ({maker.use}), which "
                    f"has an output '{port}' too",
                    f"give it that one, or name the port that is meant: {box.name}(..., {given.port}=...)",
                )


def _is_mask(box: Box) -> bool:
    return box.traits.role == "mask" and box.traits.shows in HIDES


def _is_hiding(graph: Graph, mask: Value) -> bool:
    """Whether the mask reaches a net at a port that hides, or by way of an op, or a net that is not known so well."""
    values = graph.training.values.values()
    outputs = {mask.name} | {v.name for v in values if v.kind == "port" and v.inputs[0][1] == mask.name}
    return any(
        _hides(graph.boxes[value.box], port)
        for value in values
        if value.kind == "call" and value.box
        for port, source in value.inputs
        if source in outputs
    )


def _hides(box: Box, port: str) -> bool:
    if box.section in ("nets", "targets"):
        return port in box.traits.hides or (":" in box.use and not box.traits.hides)
    return box.section in ("ops", "wiring")
