"""Which boxes lie on one branch: walking back from each loss, the main input leads the way to a view."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from ..elements.picture import Box, Edge, Frame

OFF_LANES = ("image", "augmentation", "view", "memory", "loss")


def with_lanes(boxes: list[Box], edges: list[Edge]) -> tuple[list[Box], tuple[str, ...]]:
    """The boxes with their branches, and the branches in the order in which the losses read them."""
    inputs: dict[str, list[str]] = {box.id: [] for box in boxes}
    for edge in edges:
        if edge.kind == "data":
            inputs[edge.target].append(edge.source)
    kinds = {box.id: box.kind for box in boxes}
    lane: dict[str, str] = {}
    heads: dict[str, str] = {}
    losses = [box.id for box in boxes if box.kind == "loss"]
    rest = [box.id for box in reversed(boxes) if box.kind not in OFF_LANES]
    for start in [source for loss in losses for source in inputs[loss]] + rest:
        chain = _chain(start, inputs, kinds, lane)
        if chain:
            lane |= dict.fromkeys(chain, chain[0])
            heads[chain[0]] = chain[-1]
    _place_views(boxes, edges, lane, heads)
    found = [replace(box, lane=lane.get(box.id, "")) for box in boxes]
    return found, tuple(dict.fromkeys(lane.values()))


def _chain(start: str, inputs: dict[str, list[str]], kinds: Mapping[str, str], lane: dict[str, str]) -> list[str]:
    """From a box back along its main input, until a view, a memory or another branch."""
    chain: list[str] = []
    here: str | None = start
    while here is not None and here not in lane and here not in chain and kinds[here] not in OFF_LANES:
        chain.append(here)
        before = [source for source in inputs[here] if kinds[source] != "memory"]
        # What passes gradient or weights leads the way; a mask beside it does not.
        here = next((s for s in before if kinds[s] not in OFF_LANES and s not in lane), before[0] if before else None)
    return chain


def _place_views(boxes: list[Box], edges: list[Edge], lane: dict[str, str], heads: dict[str, str]) -> None:
    """A view lies on the branch that starts from it, the views with the fewest readers choosing first."""
    views = [box.id for box in boxes if box.kind == "view"]
    readers = {view: [edge.target for edge in edges if edge.source == view and edge.kind == "data"] for view in views}
    taken: set[str] = set()
    order = list(dict.fromkeys(lane.values()))
    for view in sorted(views, key=lambda v: (len(set(readers[v])), views.index(v))):
        free = [name for name in order if heads[name] in readers[view] and name not in taken]
        lane[view] = free[0] if free else view
        taken.add(lane[view])
    for edge in edges:
        if edge.kind == "data" and edge.target in readers:
            lane[edge.source] = lane[edge.target]
    for name in [box.id for box in boxes if box.kind == "image"]:
        lane.pop(name, None)


def frames(boxes: Iterable[Box], lanes: Iterable[str]) -> Iterator[Frame]:
    """Where a method has slow copies, each branch of nets stands on a ground of its own."""
    nets = {lane: [box for box in boxes if box.lane == lane and box.weights != "none"] for lane in lanes}
    if any(box.weights == "ema" for found in nets.values() for box in found):
        for lane, found in nets.items():
            if found:
                slow = tuple(box.id for box in found if box.weights == "ema")  # a trained head behind them is no copy
                title = "slow copy" if slow else "trained network"
                yield Frame(title, lane, slow or tuple(box.id for box in found))
