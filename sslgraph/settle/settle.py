"""Settling: every width is inferred, every edge gets a shape, and each leg becomes the plain steps of a program."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from sslgraph import collectives
from sslgraph.errors import placed, refusal
from sslgraph.settle.evaluating import evaluating
from sslgraph.settle.freezes import freezes
from sslgraph.settle.lowering import Lowering, Sizes
from sslgraph.settle.meta_parts import MetaParts
from sslgraph.settle.sized import SizedGraph, SizedLeg
from sslgraph.torch_compat import without_compiler
from sslgraph.wire.graph import Graph, NetBox, TargetBox


def settle(
    graph: Graph,
    images: Mapping[str, tuple[int, int, int]],
    *,
    batch: int = 16,
    dataset: int = 1_000,
    plugins: tuple[str, ...] = (),
    seen: tuple[int, int, int] | None = None,
) -> SizedGraph:
    """Sizes a method for views of the given (channels, height, width); raises SpecError at the node that does not fit.

    batch: images of the global batch; dataset: images of the data set; seen: the image that evaluation sees, if it is
    not as large as the view that it is named after.
    """
    copies = {name: view.copies for name, view in graph.method.views.items()}
    parts, sizes = MetaParts(dataset, plugins), Sizes(images, copies, batch)
    fixed = Sizes({graph.seen: seen or images[graph.seen]}, {graph.seen: 1}, batch)
    # The meta batch is the global one: counted once more by each rank, a queue would look too small for it.
    # Autograd stays off: a kept tensor with a history could be neither deep-copied nor pickled.
    with collectives.alone(), torch.no_grad(), without_compiler(), placed(graph.place):
        legs = tuple(Lowering(graph, leg, sizes, parts).run() for leg in graph.legs)
        built = parts.built
        with evaluating(*(part.module for part in built.values())):
            export = representation(Lowering(graph, graph.export, fixed, parts).run(), batch)
        modules = {name: part.module for name, part in built.items()}
        refuse_other_widths(graph, parts)
        frozen = freezes((box for box in graph.boxes.values() if isinstance(box, NetBox)), modules)
    return SizedGraph(
        graph,
        settings={name: part.settings for name, part in built.items()},
        legs=legs,
        export=export,
        parts=modules,
        landmarks={name: part.landmarks for name, part in built.items() if part.landmarks},
        freezes=frozen,
        needs_numbers=tuple(name for name, part in built.items() if part.needs_numbers),
    )


def refuse_other_widths(graph: Graph, parts: MetaParts) -> None:
    """Refuses a target whose net can't take what arrives at it: each was filled from what arrived there.

    Another size alone is no fault: a net that resamples its positions takes both.
    """
    for name, box in graph.boxes.items():
        if isinstance(box, TargetBox) and {name, box.net} <= set(parts.built):
            mine, theirs = parts.built[name], parts.built[box.net]
            filled = {key: (size, theirs.settings.get(key)) for key, size in mine.settings.items()}
            widths = [key for key in parts.missing(graph.boxes[box.net], {}) if len({*filled.get(key, ())}) == 2]
            if widths and not parts.takes(theirs, name):
                told = " and ".join(f"{key} {filled[key][0]}, '{box.net}' {filled[key][1]}" for key in widths)
                problem = f"the target '{name}' can't follow '{box.net}': what arrives at '{name}' gives it {told}"
                raise refusal(box.path, problem, "give both values of one width and size")


def representation(leg: SizedLeg, batch: int) -> SizedLeg:
    """The leg of `export`; SpecError if it gives no row of features for each image."""
    shapes = leg.shapes(str(leg.leg.collect))
    tensor = leg.tensors[leg.pieces[str(leg.leg.collect)][0].tensor]
    is_rows = len(shapes) == 1 and shapes[0][0] == batch and 2 <= len(shapes[0]) <= 4
    if not is_rows or not tensor.is_floating_point():
        given = " and ".join(str(list(shape)) for shape in shapes)
        problem = f"export gives {given} for {batch} images ({str(tensor.dtype).removeprefix('torch.')})"
        raise refusal(("export",), problem, "it gives features [images, width], tokens or a map for each image")
    return leg
