"""Methods that read labels (`x.label`): refused where the images have none, or more classes than a loss tells apart."""

from __future__ import annotations

from collections.abc import Iterator

from sslgraph.compile.compile import CompiledMethod
from sslgraph.errors import SslgraphError
from sslgraph.settle.sized import SizedLeg

from ..feed.feed import Source

PORT = "label"


def is_asked(method: CompiledMethod) -> bool:
    """Whether the training reads the labels of its images."""
    return any(name.endswith(f".{PORT}") for name in method.training_program.inputs)


def refuse(method: CompiledMethod, source: Source) -> None:
    """Refuses images without the labels that a method reads."""
    if not is_asked(method):
        return
    if source.labels is None or not bool((source.labels >= 0).any()):
        raise SslgraphError("this method reads labels (x.label), and the images have none; give data with labels")
    there = int(source.labels.max()) + 1
    leg = next(leg for leg in method.sized.legs if leg.leg.is_training)
    for loss, width in _widths(method, leg):
        if there > width:
            raise SslgraphError(
                f"the images are of {there} classes, and '{loss}' tells {width} apart; set the width of its logits"
            )


def _widths(method: CompiledMethod, leg: SizedLeg) -> Iterator[tuple[str, int]]:
    """Each loss that compares scores with the labels of images, and how many classes it has scores for."""
    for loss in leg.leg.losses:
        inputs, classifies = dict(loss.inputs), method.graph.boxes[loss.name].traits.classifies
        if classifies[1] and leg.leg.values[inputs[classifies[1]]].port == PORT:
            yield loss.name, leg.shapes(inputs[classifies[0]])[0][-1]
