"""Questions about a wired method that several rules ask."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from sslgraph.graph import Box, Graph, Leg, TargetBox, Value
from sslgraph.schedules import Schedule, schedule

# Wiring through which a row keeps its length and its meaning.
PASSING = ("wiring.stopgrad", "wiring.shuffle", "wiring.unshuffle", "wiring.first_views")


def boxes(graph: Graph, *uses: str) -> Iterator[Box]:
    """The declared parts of one of these names."""
    return (box for box in graph.boxes.values() if box.use in uses)


def calls(graph: Graph, *uses: str) -> Iterator[tuple[Value, Box]]:
    """The values of the training leg that one of these parts makes."""
    for value in graph.training.values.values():
        if (box := box_of(graph, value.name)) and box.use in uses:
            yield value, box


def box_of(graph: Graph, name: str) -> Box | None:
    """The part that makes a value of the training leg."""
    made_by = graph.training.values[name].box
    return graph.boxes[made_by] if made_by else None


def setting(box: Box, name: str) -> Any:
    """A setting as the spec has it, or the part's default."""
    return box.settings.get(name, box.signature.settings[name].default)


def legs(graph: Graph) -> list[Leg]:
    """Every leg, with what follows its pass over the data set."""
    return [part for leg in graph.legs for part in (leg, leg.then) if part is not None]


def upstream(graph: Graph, name: str) -> list[str]:
    """A value and all that it is computed from, within the step."""
    found = [name]
    for value in found:
        found += [source for _, source in graph.training.values[value].inputs if source not in found]
    return list(dict.fromkeys(found))


def parts_upstream(graph: Graph, name: str) -> list[Box]:
    """The parts that a value is computed by, one entry for each call."""
    return [box for value in upstream(graph, name) if (box := box_of(graph, value)) is not None]


def nets(graph: Graph, name: str) -> frozenset[str]:
    """The nets that a value passes; a slow copy counts as the net that it follows."""
    return frozenset(box.net for box in parts_upstream(graph, name) if box.section in ("nets", "targets"))


def momenta(graph: Graph) -> Iterator[tuple[TargetBox, Schedule]]:
    """The targets with their momentum."""
    for box in graph.boxes.values():
        if isinstance(box, TargetBox):
            yield box, schedule(box.spec.momentum)


def half_life(momentum: float) -> float:
    """After how many steps half of a target's start is forgotten."""
    return math.inf if momentum >= 1 else 0.0 if momentum <= 0 else math.log(0.5) / math.log(momentum)


def last(moving: Schedule) -> float:
    """The value with which a schedule ends."""
    return last(moving.then) if moving.then else moving.values[-1]


def highest(moving: Schedule) -> float:
    """The greatest value that a schedule takes."""
    return max((*moving.values, *([highest(moving.then)] if moving.then else [])))


def width(graph: Graph, name: str) -> int | None:
    """How many outputs the net has that makes a value, if its spec says so."""
    value, box = graph.training.values[name], box_of(graph, name)
    if value.inputs and (value.kind in ("port", "bag") or (box and box.use in PASSING)):
        return width(graph, value.inputs[0][1])
    out = box.settings.get("out") if box and box.section in ("nets", "targets") else None
    return out if isinstance(out, int) else None


def without_unit_length(graph: Graph, name: str) -> str | None:
    """The value of a shipped head or backbone that a value takes its rows from unnormalised; None if there is none."""
    value, box = graph.training.values[name], box_of(graph, name)
    if value.kind in ("port", "bag") or (box and box.use in PASSING):
        return next((raw for _, source in value.inputs if (raw := without_unit_length(graph, source))), None)
    if box and box.section == "state":
        pushed = [source for write in graph.training.writes if write.box == box.name for _, source in write.inputs]
        return next((raw for source in pushed if (raw := without_unit_length(graph, source))), None)
    is_plain = box is not None and box.use in ("heads.mlp", "heads.linear", "backbones.resnet", "backbones.vit")
    return name if is_plain else None
