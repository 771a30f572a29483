"""What a method computes for each rank or micro-batch alone: in words, and how to join it over all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sslgraph.lint.queries import calls, setting, spans_batch
from sslgraph.lint.ranks import gathering, of_all_ranks
from sslgraph.wire.graph import Graph, NetBox


@dataclass(frozen=True)
class Local:
    """One thing that a rank does alone: the part, the words, and the setting that joins it over the ranks."""

    part: str
    words: str
    path: str
    joined: Any
    is_norm: bool = False


def rank_local(graph: Graph) -> tuple[Local, ...]:
    """What depends on how many ranks there are, because the text says so: `sync_norm: false`, `gather: rank`."""
    return (*_norms(graph), *_scopes(graph))


def spanning(graph: Graph) -> tuple[str, ...]:
    """The parts that take the images of a micro-batch together: for them accumulation is another method."""
    found = {box.name: box.use for value, box in calls(graph) if spans_batch(graph, value, box)}
    return tuple(f"'{name}' ({use})" for name, use in found.items())


def _norms(graph: Graph) -> Iterator[Local]:
    for name, box in graph.boxes.items():
        if isinstance(box, NetBox) and not box.spec.sync_norm:
            words = f"BatchNorm of '{name}' sees the images of one rank (sync_norm: false)"
            yield Local(name, words, f"nets.{name}.sync_norm", True, is_norm=True)
        if isinstance(box, NetBox) and box.spec.norm_splits > 1:
            words = f"BatchNorm of '{name}' sees groups of images (norm_splits: {box.spec.norm_splits})"
            yield Local(name, words, f"nets.{name}.norm_splits", 1, is_norm=True)


def _scopes(graph: Graph) -> Iterator[Local]:
    """A setting with the choice between `all_ranks` and `rank` that is set to the latter, where ranks differ at all."""
    same = of_all_ranks(graph)
    joined = {value.box for value, _ in calls(graph) if value.inputs and same.issuperset(dict(value.inputs).values())}
    for name, box in graph.boxes.items():
        for key in gathering(box.signature) if name not in joined else ():
            if setting(box, key) == "rank":
                words = f"'{name}' ({box.use}) takes the rows of one rank ({key}: rank)"
                yield Local(name, words, f"{box.section}.{name}.{key}", "all_ranks")
