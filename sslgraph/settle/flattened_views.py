"""Losses from elsewhere that get the views of a bag as rows, and do not say in their annotations that rows are meant.

A loss over views that is written without annotations runs on rows, and gives a number that means something else.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from sslgraph.settle.sized import Shape, SizedGraph
from sslgraph.wire.graph import LossBox

Given = tuple[str, int, Shape]  # a port, the views in its rows, the shape of all of them


def flattened_views(sized: SizedGraph) -> tuple[tuple[str, tuple[Given, ...]], ...]:
    """Each such loss of the training with its ports. Losses of installed packages are written for rows: they count
    only where one port has more views than another.
    """
    return tuple(_found(sized))


def _found(sized: SizedGraph) -> Iterator[tuple[str, tuple[Given, ...]]]:
    leg = next(leg for leg in sized.legs if leg.leg.is_training)
    for loss in leg.leg.losses:
        box = sized.graph.boxes[loss.name]
        if not isinstance(box, LossBox) or box.signature.family != "plugin":
            continue
        pieces = {port: leg.pieces.get(source, ()) for port, source in loss.inputs}
        given = tuple(
            (port, some[0].views, leg.shapes(source)[0])
            for port, source in loss.inputs
            if len(some := pieces[port]) == 1 and box.signature.inputs[port].axes is None and leg.shapes(source)
        )
        views = {number for _, number, _ in given}
        if max(views, default=1) > 1 and (len(views) > 1 or not _is_installed(box.signature.file)):
            yield loss.name, given


def _is_installed(file: str) -> bool:
    return file.startswith((sys.prefix, sys.base_prefix))
