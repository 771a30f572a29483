"""Which values differ from rank to rank, and which are the same on all of them."""

from __future__ import annotations

from sslgraph.wire.graph import Box, Graph

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
        is_own = box is not None and any(setting(box, key) == "rank" for key in gathering(box))
        if is_own or (box and "draw" in box.signature.inputs):
            continue
        is_joined = box and box.traits.spans_batch and made and made.axes and "batch" not in made.axes
        is_held = box and box.section in ("state", "nets", "targets") and not value.inputs
        if (
            is_held
            or (is_joined and value.kind == "call")
            or (value.inputs and found.issuperset(dict(value.inputs).values()))
        ):
            found.add(name)
    return found


def gathering(box: Box) -> list[str]:
    """The settings of a part that choose between the rows of all ranks and those of its own."""
    return [key for key, choice in box.signature.settings.items() if "all_ranks" in choice.annotation]
