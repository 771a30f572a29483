"""Checks what a method says of its picture: every name must be one of its parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sslgraph.errors import Fault, Path, unknown
from sslgraph.read.spec import Method
from sslgraph.wire.graph import Box


def picture_faults(method: Method, boxes: Mapping[str, Box]) -> Iterator[Fault]:
    """The names in `picture:` that no part and no view has."""
    said = method.picture
    nets = [name for name, box in boxes.items() if box.section in ("nets", "targets")]
    ops = [name for name, box in boxes.items() if box.section == "ops"]
    everything = [*boxes, *method.views]
    asked: list[tuple[str, Path, list[str]]] = [
        *((name, ("picture", "names", name), everything) for name in said.names),
        *((name, ("picture", "branches", name), nets) for name in said.branches),
        *((name, ("picture", "hide", i), ops) for i, name in enumerate(said.hide)),
        *((name, ("picture", "order", i), [*nets, *method.views]) for i, name in enumerate(said.order)),
        *((name, ("picture", "focus", i), everything) for i, name in enumerate(said.focus)),
    ]
    for name, path, known in asked:
        if name.rpartition(".")[2] not in known:
            yield unknown(path, f"picture: {path[1]}: there is no", name, known)
