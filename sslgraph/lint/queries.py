"""Questions about a wired method that several rules ask."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from sslgraph.parts.signature import Port
from sslgraph.read.spec import Average
from sslgraph.schedules import Schedule, is_schedule, schedule
from sslgraph.wire.graph import HANDED_ON, Box, Graph, LossBox, TargetBox, Value

Origins = dict[str, tuple[str, ...] | None]


def origins(graph: Graph) -> Origins:
    """Of the rows of each value of the training leg the views that they come from, in order ("x[0]", "x[1]"); None
    where that is not known.
    """
    found: Origins = {}
    for name in graph.training.values:
        found[name] = _origins(graph, name, found)
    return found


def _origins(graph: Graph, name: str, known: Origins) -> tuple[str, ...] | None:
    value, box = graph.training.values[name], box_of(graph, name)
    if value.kind == "view":
        copies = graph.method.views[str(value.view)].copies
        return tuple(f"{value.view}[{i}]" for i in range(copies)) if copies > 1 else (str(value.view),)
    inner = [
        known[source]
        for port, source in carriers(graph, name)
        if not box or not (box.signature.inputs[port].is_bag or box.traits.reorders)
    ]
    if value.kind == "bag":
        return tuple(view for views in inner for view in views or ()) if all(inner) else None
    if value.kind == "member" and inner[0]:
        return inner[0][value.member : (value.member or 0) + 1]
    is_one = all(views in (None, (), inner[0]) for views in inner)  # a mean or a maximum of views is of no single one
    return inner[0] if inner and is_one and value.kind != "member" else None


def carriers(graph: Graph, name: str) -> list[tuple[str, str]]:
    """The inputs that the rows of a value are made of: without those that only choose among these, as whole numbers do
    and what no gradient passes.
    """
    value, box = graph.training.values[name], box_of(graph, name)
    ports = box.signature.inputs if box else {}
    steers = {p for p, _ in value.inputs if box and (p in box.traits.detached or ports[p].is_integer)}
    return [(port, source) for port, source in value.inputs if port not in steers or len(steers) == len(value.inputs)]


def sights(graph: Graph) -> dict[str, frozenset[str]]:
    """Of each value of the training leg the views that it depends on, as `origins` names them; a view with `crop_of`
    counts as the one that it shares its places with.
    """
    found: dict[str, frozenset[str]] = {}
    views = origins(graph)
    for name, value in graph.training.values.items():
        known = views[name] if value.kind in ("view", "member") else None
        inner = (found[source] for _, source in value.inputs)
        found[name] = frozenset(map(partial(shared, graph), known)) if known else frozenset().union(*inner)
    return found


def shared(graph: Graph, origin: str) -> str:
    """The view whose box and flip a view has."""
    view, bracket, copy = origin.partition("[")
    spec = graph.method.views[view]
    return origin if spec.crop_of is None or spec.shift else shared(graph, spec.crop_of + bracket + copy)


def output(graph: Graph, name: str) -> Port | None:
    """The port of a part that a value comes out of, with its axes; None of a view, a bag and a member of one."""
    value, maker = graph.training.values[name], box_of(graph, name)
    if value.kind == "port":
        maker = box_of(graph, value.inputs[0][1])
        return next((port for port in maker.signature.outputs if port.name == value.port), None) if maker else None
    return maker.signature.outputs[0] if maker and maker.signature.outputs else None


def written(graph: Graph, name: str) -> str:
    """A value of the training leg as a spec can write it: its name in the flow, or else what makes it: `g(f(x))`."""
    leg = graph.training
    value, box = leg.values[name], box_of(graph, name)
    if known := next((given for given, made in leg.flow.items() if made == name), None):
        return known
    if value.kind == "view":
        return str(value.view) if value.port == "image" else f"{value.view}.{value.port}"
    inner = {port or str(i): written(graph, source) for i, (port, source) in enumerate(value.inputs)}
    if value.kind == "port":
        maker = box_of(graph, value.inputs[0][1])
        is_first = maker is not None and maker.signature.outputs[0].name == value.port  # what f(x) alone stands for
        return inner["0"] if is_first else f"{inner['0']}.{value.port}"
    if value.kind == "member":
        return f"{inner['0']}[{value.member}]"
    if not box:
        return f"bag({', '.join(inner.values())})"
    order = [port for port in box.signature.ports if port not in box.numbers]
    given = [
        text if order[i] == port else f"{port}={text}"
        for i, (port, text) in enumerate(inner.items())
        if port not in box.numbers
    ]
    if box.section == "state":
        return f"{box.name}.read" + (f"({', '.join(given)})" if given else "")
    return f"{box.name}({', '.join(given)})"


def calls(graph: Graph) -> Iterator[tuple[Value, Box]]:
    """The values of the training leg that parts make, each with its part; losses are among them."""
    for value in graph.training.values.values():
        if box := box_of(graph, value.name):
            yield value, box


def agreements(graph: Graph) -> Iterator[tuple[Value, Box, str, str]]:
    """The losses that bring two values together, with these two values."""
    for value, box in calls(graph):
        inputs = dict(value.inputs)
        sides = [inputs[port] for port in box.traits.agrees if port in inputs]
        if len(sides) == 2:
            yield value, box, sides[0], sides[1]


def is_guarded(box: Box) -> bool:
    """Whether a constant output is not the best that a loss can get: it holds something apart, or centres one side."""
    return not box.traits.agrees[0] or bool(box.traits.repels or box.traits.centred_by)


def is_turned(box: Box) -> bool:
    """Whether a loss has a negative weight at every step, and so works against what it says of itself."""
    numbers = _numbers(box.spec.weight) if isinstance(box, LossBox) else ()
    return bool(numbers) and max(numbers) < 0


def spans_batch(graph: Graph, value: Value, box: Box) -> bool:
    """Whether a call's value for a batch is not the mean of its values for parts of it: it compares the images with
    each other, or is a mean over places of which an image has more than another.
    """
    inputs = dict(value.inputs)
    if box.traits.spans_batch and box.traits.unless not in inputs:
        return True
    return box.traits.weighed_by in inputs and _is_uneven(graph, inputs[box.traits.weighed_by])


def _is_uneven(graph: Graph, name: str) -> bool:
    """Whether an op marks more places of one image than of another, or what is made of such marks (fold, product)."""
    box = box_of(graph, name)
    if box and any(isinstance(given, Mapping) and "uniform" in given for given in box.settings.values()):
        return True  # a share of its own for each image
    if box and (box.traits.uneven or box.traits.role == "mask" or box.section not in ("ops", "wiring")):
        return box.traits.uneven
    return any(_is_uneven(graph, source) for _, source in graph.training.values[name].inputs)


def box_of(graph: Graph, name: str) -> Box | None:
    """The part that makes a value of the training leg."""
    made_by = graph.training.values[name].box
    return graph.boxes[made_by] if made_by else None


def setting(box: Box, name: str) -> Any:
    """A setting as the spec has it, or the part's default."""
    return box.settings.get(name, box.signature.settings[name].default)


def values(box: Box, name: str) -> tuple[float, ...]:
    """The numbers that a setting takes one after the other; none if it is no number."""
    return _numbers(setting(box, name)) if name in box.signature.settings else ()


def _numbers(given: Any) -> tuple[float, ...]:
    is_number = is_schedule(given) or (isinstance(given, int | float) and not isinstance(given, bool))
    return schedule(given).every_value if is_number else ()


def parts_upstream(graph: Graph, name: str) -> list[Box]:
    """The parts that a value is computed by, one entry for each call."""
    return [box for value in graph.training.upstream(name) if (box := box_of(graph, value)) is not None]


def nets(graph: Graph) -> dict[str, frozenset[str]]:
    """The nets that the rows of each value of the training leg pass; a slow copy counts as the net that it follows."""
    found: dict[str, frozenset[str]] = {}
    for name in graph.training.values:
        box = box_of(graph, name)
        own = frozenset({box.net} if box and box.section in ("nets", "targets") else ())
        found[name] = own.union(*(found[source] for _, source in carriers(graph, name)))
    return found


def momenta(graph: Graph) -> Iterator[tuple[TargetBox, Schedule]]:
    """The targets that follow at every step, with their momentum."""
    for box in graph.boxes.values():
        if isinstance(box, TargetBox) and isinstance(box.spec, Average):
            yield box, schedule(box.spec.momentum)


def half_life(momentum: float) -> float:
    """After how many steps half of a target's start is forgotten."""
    return math.inf if momentum >= 1 else 0.0 if momentum <= 0 else math.log(0.5) / math.log(momentum)


def width(graph: Graph, name: str) -> int | None:
    """How many outputs the net has that makes a value, if its spec says so."""
    value, box = graph.training.values[name], box_of(graph, name)
    if value.inputs and (value.kind in HANDED_ON or (box and box.traits.rows == "same")):
        return width(graph, value.inputs[0][1])
    out = box.settings.get("out") if box and box.section in ("nets", "targets") else None
    return out if isinstance(out, int) else None


def has_unit_length(graph: Graph, name: str) -> bool:
    """Whether the rows of a value are known to have unit length."""
    value, box = graph.training.values[name], box_of(graph, name)
    if value.kind in HANDED_ON or (box and box.traits.rows == "same"):
        return bool(value.inputs) and all(has_unit_length(graph, source) for _, source in value.inputs)
    if box and box.section == "state":
        pushed = [source for write in graph.training.writes if write.box == box.name for _, source in write.inputs]
        return bool(pushed) and all(has_unit_length(graph, source) for source in pushed)
    return box is not None and box.traits.rows == "unit"


def without_unit_length(graph: Graph, name: str) -> str | None:
    """The value that a value takes its rows from, if these rows are known to have any length; else None."""
    value, box = graph.training.values[name], box_of(graph, name)
    if value.kind in HANDED_ON or (box and box.traits.rows == "same"):
        return next((raw for _, source in value.inputs if (raw := without_unit_length(graph, source))), None)
    if box and box.section == "state":
        pushed = [source for write in graph.training.writes if write.box == box.name for _, source in write.inputs]
        return next((raw for source in pushed if (raw := without_unit_length(graph, source))), None)
    return name if box and box.traits.rows == "raw" else None
