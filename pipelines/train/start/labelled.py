"""Methods that read labels (`x.label`, `x.map`): refused where the images have none, or more classes than a loss tells
apart.
"""

from __future__ import annotations

from collections.abc import Iterator

from sslgraph.compile.compile import CompiledMethod
from sslgraph.errors import SslgraphError
from sslgraph.parts import registry

from ...feed.feed import Source, has_labels
from ...feed.label_maps import MapsOf, maps_of

PORT, MAP = "label", "map"


def is_asked(method: CompiledMethod, port: str = PORT) -> bool:
    """Whether the training reads the labels of its images, or their label maps."""
    return any(name.endswith(f".{port}") for name in method.training_program.inputs)


def refuse(method: CompiledMethod, source: Source) -> None:
    """Refuses images without the labels that a method reads."""
    if is_asked(method, MAP) and maps_of(source) is None:
        raise SslgraphError(
            "this method reads label maps (x.map), and the images have none; give a folder of images with label maps "
            f"(data.use={registry.with_role('label maps', 'sources')[0]})"
        )
    if not is_asked(method):
        return
    if source.labels is None or not has_labels(source):
        raise SslgraphError("this method reads labels (x.label), and the images have none; give data with labels")
    there = int(source.labels.max()) + 1
    for loss, width in _widths(method, PORT):
        if there > width:
            raise SslgraphError(
                f"the images are of {there} classes, and '{loss}' tells {width} apart; set the width of its logits"
            )


def maps(method: CompiledMethod, source: Source) -> MapsOf | None:
    """What gives the label maps of a batch; None if the method reads none."""
    if not is_asked(method, MAP):
        return None
    return maps_of(source, min((width for _, width in _widths(method, MAP)), default=None))


def _widths(method: CompiledMethod, port: str) -> Iterator[tuple[str, int]]:
    """Each loss that compares scores with labels of images or of pixels, and how many classes it has scores for."""
    leg = method.sized.training
    for loss in leg.leg.losses:
        inputs, classifies = dict(loss.inputs), method.graph.boxes[loss.name].traits.classifies
        if classifies[1] and leg.leg.values[inputs[classifies[1]]].port == port:
            yield loss.name, leg.shapes(inputs[classifies[0]])[0][-1]
