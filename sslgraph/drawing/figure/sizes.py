"""Shapes of values in words: which axis is the batch, and what sizes are called that no spec says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sslgraph.wire.graph import Graph, Value

from ..elements.words import shape_words

if TYPE_CHECKING:
    from sslgraph.settle.sized import SizedGraph, SizedLeg


def shapes_of(graph: Graph, leg: SizedLeg, value: str, batch: int | None, names: Mapping[int, str]) -> tuple[str, ...]:
    """The shapes of a value in words, one for each resolution in it; `names`: of sizes that the method does not say."""
    if leg.leg.is_after_pass:
        return ()
    shapes = leg.shapes(value) if value in leg.pieces else ()
    rows = batch if _has_images(leg, value) and not is_square(graph, leg, value) else None
    if rows and _is_across(leg, graph, value):
        names = {**names, rows: "B"}
    return tuple(shape_words((shape,), rows, names) for shape in shapes)


def _is_across(leg: SizedLeg, graph: Graph, name: str) -> bool:
    """Whether a value has a score of each image with each image, on its last axis: B x B."""
    value = leg.leg.values[name]
    box = graph.maker(value) if value.kind == "call" else None
    axes = box.signature.outputs[0].axes if box and box.signature.outputs else None
    if box is None or (axes and any(axis.startswith("*") for axis in axes)):
        return any(_is_across(leg, graph, source) for _, source in value.inputs)
    heads = {(box.signature.inputs[port].axes or ("",))[0]: source for port, source in value.inputs}
    last = axes[-1] if axes else "batch"
    others = heads.get(last, "") if last != "batch" else ""
    return _has_images(leg, others) and not is_square(graph, leg, others)


def _has_images(leg: SizedLeg, name: str) -> bool:
    """Whether a value is made of images; what is made of states alone has as many rows as the states."""
    values = leg.leg.values
    return name in values and any(values[source].kind == "view" for source in leg.leg.upstream(name))


def is_square(graph: Graph, leg: SizedLeg, name: str) -> bool:
    """Whether a value is a matrix of features by features, such as a second moment: its rows are no images."""
    value = leg.leg.values.get(name)
    if value is None:  # a state that nothing reads
        return False
    made_by = graph.boxes[value.box].signature if value.kind == "call" and value.box is not None else None
    axes = made_by.outputs[0].axes if made_by and made_by.outputs else None
    if made_by and axes and not axes[0].startswith("*"):
        features = {axis for port in made_by.inputs.values() for axis in (port.axes or ())[1:]}
        rows = {(port.axes or ("",))[0] for port in made_by.inputs.values()}
        return len(axes) == 2 and (axes[0] == axes[1] or (features.issuperset(axes) and rows.isdisjoint(axes)))
    return any(is_square(graph, leg, source) for _, source in value.inputs)


def sizes_of(sized: SizedGraph, batch: int) -> dict[int, str]:
    """Names of sizes that the method does not say: N, images of the data set; rows that an op picks out of a batch.

    How many rows an op makes of a batch, a draw says; its annotation says what they are.
    """
    own = {name: box.settings.get("images") for name, box in sized.graph.boxes.items()}
    found = {s["images"]: "N" for name, s in sized.settings.items() if "images" in s and not own.get(name)}
    for leg in sized.legs:
        for value in leg.leg.values.values():
            axis = _rows_axis(sized.graph, leg, value)
            for shape in leg.shapes(value.name) if axis and value.name in leg.pieces else ():
                if batch and shape and shape[0] > batch and shape[0] % batch:
                    found[shape[0]] = axis
    return found


def _rows_axis(graph: Graph, leg: SizedLeg, value: Value) -> str:
    """What an op calls the first axis of what it makes; "" for images, and for what is made of any number of axes."""
    maker = leg.leg.values[value.inputs[0][1]] if value.kind == "port" else value
    if maker.kind != "call" or maker.box is None or graph.boxes[maker.box].section not in ("ops", "wiring"):
        return ""
    outputs = graph.boxes[maker.box].signature.outputs
    axes = next((port.axes for port in outputs if value.kind != "port" or port.name == value.port), None)
    return axes[0] if axes and axes[0].isidentifier() and axes[0] != "batch" else ""


def batch_of(sized: SizedGraph) -> int:
    """How many images a step has, read off the rows of a view."""
    for leg in sized.legs:
        for value in leg.leg.values.values():
            if value.kind == "view" and (shapes := leg.shapes(value.name)):
                return shapes[0][0] // sized.graph.method.views[str(value.view)].copies
    return 0
