"""Settling: every width is inferred, every edge gets a shape, and each leg becomes the plain steps of a program."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from sslgraph import collectives
from sslgraph.errors import placed
from sslgraph.settle.freezes import freezes
from sslgraph.settle.lowering import Lowering, Sizes
from sslgraph.settle.meta_parts import MetaParts
from sslgraph.settle.sized import SizedGraph
from sslgraph.wire.graph import Graph, NetBox


def settle(
    graph: Graph,
    images: Mapping[str, tuple[int, int, int]],
    *,
    batch: int = 16,
    dataset: int = 1_000,
    plugins: tuple[str, ...] = (),
) -> SizedGraph:
    """Sizes a method for views of the given (channels, height, width); raises SpecError at the node that does not fit.

    batch: images of the global batch; dataset: images of the data set.
    """
    parts, sizes = MetaParts(dataset, plugins), Sizes(images, batch)
    # The meta batch is the global one: counted once more by each rank, a queue would look too small for it.
    # Autograd stays off: a kept tensor with a history could be neither deep-copied nor pickled.
    with collectives.alone(), torch.no_grad(), placed(graph.place):
        legs = tuple(Lowering(graph, leg, sizes, parts).run() for leg in graph.legs)
        built = parts.built
        modules = {name: part.module for name, part in built.items()}
        frozen = freezes((box for box in graph.boxes.values() if isinstance(box, NetBox)), modules)
    return SizedGraph(
        graph,
        settings={name: part.settings for name, part in built.items()},
        legs=legs,
        parts=modules,
        landmarks={name: part.landmarks for name, part in built.items() if part.landmarks},
        freezes=frozen,
        needs_numbers=tuple(name for name, part in built.items() if part.needs_numbers),
    )
