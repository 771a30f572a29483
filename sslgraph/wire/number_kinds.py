"""What values are by their annotations: floating-point or whole numbers, or truth values; refused where a port takes
others. Imports no torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sslgraph.errors import Fault
from sslgraph.parts.signature import KINDS, Port
from sslgraph.wire.graph import HANDED_ON, Graph, Leg, Value, Write

VIEW_KINDS = {"image": KINDS["Float"], "box": KINDS["Float"], "colours": KINDS["Float"], "flip": KINDS["Bool"]}
CURE = "look at the order of the arguments, or name the port that is meant: part(x, port=value)"


def kind_faults(graph: Graph) -> Iterator[Fault]:
    """Every value that enters a port for numbers of another kind."""
    for leg in graph.every_leg:
        for value in leg.values.values():
            if value.box:
                yield from _misfits(graph, leg, value, graph.boxes[value.box].signature.inputs)
        for write in leg.writes:
            ports = graph.boxes[write.box].signature.writes.get(write.method, {})
            yield from _misfits(graph, leg, write, ports)


def _misfits(graph: Graph, leg: Leg, call: Value | Write, ports: Mapping[str, Port]) -> Iterator[Fault]:
    who = f"'{call.box}' ({graph.boxes[str(call.box)].use})"
    for name, source in call.inputs:
        port, found = ports.get(name), _kind(graph, leg, source)
        if port is not None and found and port.kind not in ("", found):
            problem = f"{who}: port '{name}' takes {port}: {port.kind}, and '{source}' is {found}"
            yield Fault(call.path, problem, cure=CURE)


def _kind(graph: Graph, leg: Leg, name: str) -> str:
    """The kind of a value in words; empty where no annotation says it."""
    value = leg.values[name]
    if value.kind == "view":
        return VIEW_KINDS.get(str(value.port), KINDS["Int"])
    if value.kind == "port":
        box = graph.boxes[str(leg.values[value.inputs[0][1]].box)]
        return next((port.kind for port in box.signature.outputs if port.name == value.port), "")
    made = graph.maker(value)
    if value.kind in HANDED_ON or (made and made.traits.rows == "same"):
        return _kind(graph, leg, value.inputs[0][1]) if value.inputs else ""
    return made.signature.outputs[0].kind if made and made.signature.outputs and value.kind == "call" else ""
