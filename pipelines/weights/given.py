"""The weights that a method's nets start with, by `weights:` in its text and `given:` in the recipe."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field

from torch import Tensor

from sslgraph.errors import Fault, SslgraphError, raise_all
from sslgraph.read.spec import Weights
from sslgraph.settle.sized import SizedGraph
from sslgraph.wire.graph import Graph, NetBox

from .matched import matched
from .opening import TIMM, Opened, opened

Open = Callable[[str], Opened]


@dataclass(frozen=True)
class Given:
    """The tensors of each net that says `weights:`, by its name; what is said of it."""

    states: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    said: tuple[str, ...] = ()


def takers(graph: Graph) -> dict[str, Weights]:
    """The nets that say `weights:`, and what they say."""
    nets = (box for box in graph.boxes.values() if isinstance(box, NetBox))
    return {box.name: box.spec.weights for box in nets if box.spec.weights is not None}


def place_of(said: Weights, names: Mapping[str, str]) -> str | None:
    """The file, run folder or model that is meant; None for a name that the recipe does not give."""
    return said.source if said.name is None else names.get(said.name)


def given(
    sized: SizedGraph, names: Mapping[str, str], *, but: Container[str] = (), is_check: bool = False,
    read: Open = opened,
) -> Given:  # fmt: skip
    """Reads and matches them all; SpecError with each that is not there or does not fit, at its place.

    `names` is the recipe's `given:`; `but` are nets to leave out. A check fetches nothing of timm, and says of a name
    that is not given that it waits. `read` opens a place.
    """
    states: dict[str, dict[str, Tensor]] = {}
    said, faults = list[str](), list[Fault]()
    for net, wish in takers(sized.graph).items():
        box, place = sized.graph.boxes[net], place_of(wish, names)
        if net in but:
            continue
        if place is None:
            problem = f"'{net}' takes its weights from {wish.source}, and nothing is given under that name"
            if is_check:
                said.append(f"{net} waits for given.{wish.name}")
                continue
            cure = f"write given: {{{wish.name}: FILE}} in the recipe, or --set given.{wish.name}=FILE"
            faults.append(Fault((*box.path, "weights"), problem, (), cure))
        elif is_check and place.startswith(TIMM):
            said.append(f"{net} begins with {place}")
        else:
            own = ", ".join(box.signature.settings)
            cure = f"give '{net}' the settings that they were trained with ({box.use} has: {own})"
            try:
                found = matched(net, sized.parts[net], read(place), wish, cure)
            except SslgraphError as wrong:
                problem, _, cure = str(wrong).partition("\n  ")
                faults.append(Fault((*box.path, "weights"), problem, (), cure))
                continue
            states[net] = found.state
            said.append(found.said)
    raise_all(faults, sized.graph.place)
    return Given(states, tuple(said))
