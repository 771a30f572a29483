"""Which values differ from rank to rank, and which are the same on all of them."""

from __future__ import annotations

from sslgraph.parts.signature import Port, Signature
from sslgraph.wire.graph import Graph

from .queries import box_of, output, setting


def of_this_rank(graph: Graph) -> set[str]:
    """The values of the training leg that are known to have a row for each image of a rank, and of no other rank."""
    found: set[str] = set()
    for name, value in graph.training.values.items():
        box, made = box_of(graph, name), output(graph, name)
        axis = made.axes[0] if made and made.axes else ""
        if box and axis == "batch":
            ports = box.signature.inputs
            given = [source for port, source in value.inputs if (ports[port].axes or ("",))[0] == "batch"]
        else:
            given = [source for _, source in value.inputs] if not box or axis.startswith("*") else []
        if value.kind == "view" or (given and found.issuperset(given)):
            found.add(name)
    return found


def of_all_ranks(graph: Graph) -> set[str]:
    """The values of the training leg that are known to be the same on every rank: what is gathered there, what a state
    or a net holds, and what is made of these alone.
    """
    found: set[str] = set()
    for name, value in graph.training.values.items():
        box, made = box_of(graph, name), output(graph, name)
        is_own = box is not None and any(setting(box, key) == "rank" for key in gathering(box.signature))
        if is_own or (box and "draw" in box.signature.inputs):
            continue
        own = {axis for port, _ in value.inputs if box and (axis := _rows_of(box.signature.inputs[port]))}
        is_joined = box and box.traits.spans_batch and made and made.axes and own.isdisjoint(made.axes)
        is_held = box and box.section in ("state", "nets", "targets") and not value.inputs
        if (
            is_held
            or (is_joined and value.kind == "call")
            or (value.inputs and found.issuperset(dict(value.inputs).values()))
        ):
            found.add(name)
    return found


def _rows_of(port: Port) -> str:
    """The axis of a port that counts rows: the first one, behind that of the views."""
    return next((axis for axis in port.axes or () if not axis.startswith("views")), "")


def gathering(signature: Signature) -> list[str]:
    """The settings of a part that choose between the rows of all ranks and those of its own."""
    return [key for key, choice in signature.settings.items() if "all_ranks" in choice.annotation]
