"""Ideas of losses that separate images: from which others, and whether each image is known by itself."""

from __future__ import annotations

from collections.abc import Iterator

from sslgraph.read.spec import Loss

from .figure import Figure
from .idea import Idea


def negatives(figure: Figure) -> Iterator[Idea]:
    """What losses hold apart: other images of the batch, of a queue, of a memory bank."""
    for loss in figure.training.losses.values():
        traits = figure.traits(loss.use)
        if traits.repels != "samples":
            continue
        if traits.idea:
            yield Idea(traits.idea, "", loss.use, slot="repulsion")
            continue
        read = figure.wires(loss, figure.training)
        others = [text for port, text in zip(_ports(figure, loss, read), read.values(), strict=True)
                  if port not in traits.agrees]  # fmt: skip
        source = next((state for text in others if (state := _kept(figure, text))), "")
        if source:
            part = figure.method.state[source]
            where = "a queue" if figure.traits(part.use).role == "queue" else "a memory bank"
            size = f" of {part.settings['size']} keys" if "size" in part.settings else ""
            nodes = frozenset({("state", source)})
            yield Idea("negative pairs", f"from {where}", f"{source}{size}", nodes, "repulsion")
        else:
            yield Idea("negative pairs", "from the batch", "all other images of the batch", frozenset(), "repulsion")


def _ports(figure: Figure, loss: Loss, read: dict[str, str]) -> list[str]:
    """The ports that a loss reads by; those that `of` gives by position have the names that are left."""
    found = figure.known(loss.use)
    free = (port for port in (found.ports if found else ()) if port not in read)
    return [name if name in loss.settings else next(free, name) for name in read]


def _kept(figure: Figure, text: str) -> str:
    """The queue or the bank whose rows a value is made of; "" if it is made of none."""
    for number in sorted(figure.above([text], figure.training)):
        node = figure.nodes[number]
        part = figure.method.state.get(node.name) if node.kind == "read" else None
        if part is not None and figure.traits(part.use).role in ("queue", "bank"):
            return node.name
    return ""


def single_images(figure: Figure) -> Iterator[Idea]:
    """Images that the training knows one by one, each a class or a row of a memory."""
    knows = any(figure.nodes[i].kind == "port" and figure.nodes[i].name == "index" for i in figure.seen)
    if knows and not figure.passes:  # behind a pass over all images the index finds the cluster
        yield Idea("every image by itself", "", is_headline=False)
