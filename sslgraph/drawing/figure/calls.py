"""A leg of a method as calls and reads: ports, bags and stop-gradients become marks on the lines between calls."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from sslgraph.wire.gradients import moved_by, trained_by
from sslgraph.wire.graph import HANDED_ON, Graph, Leg, NetBox, Value
from sslgraph.wire.walks import reached


@dataclass(frozen=True)
class Read:
    """A value that a call reads: who made it, by which names it is known, through which port it arrives."""

    maker: str  # the call, view or given value that made it
    value: str  # the value that the reader names
    reader: str  # the call that reads it; "" for a write
    port: str  # the reader's port
    name: str = ""  # the spec's own name for it
    output: str = ""  # the maker's output, where it has several
    is_stopped: bool = False  # a stop-gradient lies between
    is_bag: bool = False  # it arrives together with others at one port
    is_member: bool = False  # it is one view of a bag
    hops: tuple[tuple[str, str, str], ...] = ()  # (value, value that reads it, port), from the reader to the maker


@dataclass
class Calls:
    """The calls of a leg in an order in which they can be computed, what each reads, and which gradient runs where."""

    graph: Graph
    leg: Leg
    losses: tuple[Value, ...]  # those that are drawn
    calls: dict[str, Value] = field(default_factory=dict)
    reads: list[Read] = field(default_factory=list)
    carried: dict[str, frozenset[str]] = field(default_factory=dict)  # value -> losses whose gradient arrives at it
    reaches: dict[str, frozenset[str]] = field(default_factory=dict)  # value -> nets that a gradient at it would move

    def is_stop(self, value: Value) -> bool:
        """Whether a value is another one behind a stop-gradient."""
        return value.box is not None and self.graph.boxes[value.box].traits.is_stop

    def single(self, read: Read) -> str:
        """The value that a line carries: of a bag, the one that this line adds to it."""
        inside = [value for value, reader, _ in read.hops if reader and self.leg.values[reader].kind == "bag"]
        return inside[-1] if inside else read.value

    def losses_along(self, read: Read) -> tuple[str, ...]:
        """The losses whose gradient runs along a read, back from its reader to its maker."""
        hops = [along(self, *hop) for hop in read.hops]
        return tuple(loss.name for loss in self.losses if read.reader and all(loss.name in losses for losses in hops))

    def above(self, *names: str) -> set[str]:
        """Calls and everything that they read, directly or not."""
        makers: dict[str, list[str]] = {}
        for read in self.reads:
            makers.setdefault(read.reader, []).append(read.maker)
        return reached(names, lambda name: makers.get(name, ()))

    def trains(self, call: Value) -> tuple[str, ...]:
        """The losses that move the weights of a net through this call."""
        box = self.graph.maker(call)
        if not isinstance(box, NetBox) or box.spec.is_frozen:
            return ()
        return tuple(
            loss.name
            for loss in self.losses
            if loss.name in self.carried[call.name] and box.name in trained_by(self.graph, loss, self.reaches)
        )


def calls_of(graph: Graph, leg: Leg, *, without: Collection[str] = ()) -> Calls:
    """The calls of one leg; `without` names losses that are not drawn, and whose gradient therefore isn't either."""
    out = Calls(graph, leg, tuple(loss for loss in leg.losses if loss.name not in without))
    out.reaches = moved_by(graph, leg)
    for value in leg.values.values():
        if value.kind in ("call", "loss", "view", "given") and not out.is_stop(value):
            out.calls[value.name] = value
            for port, source in value.inputs:
                out.reads += _resolved(out, source, value.name, port)
    for write in leg.writes:
        for port, source in write.inputs:
            out.reads += _resolved(out, source, "", f"{write.box}.{write.method}.{port}")
    out.carried = _carried(out)
    return out


def _resolved(calls: Calls, source: str, reader: str, port: str) -> list[Read]:
    """Who made what a port reads: through ports, bags and stop-gradients up to the calls."""
    names = {value: name for name, value in calls.leg.flow.items()}

    def walk(read: Read, value: Value, place: str) -> list[Read]:
        """Further up from a value; `place` is its place in the bag that it was taken from, "[0]"."""
        name = names.get(value.name, value.view if place else None)
        read = replace(read, name=read.name or (f"{name}{place}" if name else ""))
        if not (value.kind in HANDED_ON or calls.is_stop(value)):
            return [replace(read, maker=value.name)]
        found = []
        for inner_port, inner in value.inputs:
            further = replace(read, hops=(*read.hops, (inner, value.name, inner_port)))
            if value.kind == "bag":
                further = replace(further, name="", output="", is_bag=len(value.inputs) > 1)
            elif value.kind == "port":
                further = replace(further, output=read.output or str(value.port))
            elif value.kind == "member":
                further = replace(further, is_member=True)
            else:
                further = replace(further, is_stopped=True)
            found += walk(further, calls.leg.values[inner], f"[{value.member}]" if value.kind == "member" else place)
        return found

    return walk(Read("", source, reader, port, hops=((source, reader, port),)), calls.leg.values[source], "")


def _carried(calls: Calls) -> dict[str, frozenset[str]]:
    """For each value the losses whose gradient arrives at it in a backward pass, from the losses upwards."""
    leg, graph, reaches = calls.leg, calls.graph, calls.reaches
    arrived: dict[str, set[str]] = {name: set() for name in leg.values}
    for value in reversed(list(leg.values.values())):
        if value in calls.losses and trained_by(graph, value, reaches):
            arrived[value.name].add(value.name)
        calls.carried[value.name] = frozenset(arrived[value.name])
        for port, source in value.inputs:
            arrived[source] |= along(calls, source, value.name, port)
    return {name: frozenset(losses) for name, losses in arrived.items()}


def along(calls: Calls, source: str, reader: str, port: str) -> set[str]:
    """The losses whose gradient runs from a reader through one of its ports to the value it reads.

    It runs if it arrives at the reader, the port is not detached, the reader's own output could carry one, and a net
    that the loss trains lies above.
    """
    if not reader:
        return set()
    graph, value = calls.graph, calls.leg.values[reader]
    detached = graph.boxes[value.box].traits.detached if value.box else ()
    if port in detached or "*" in detached or not calls.reaches[reader]:
        return set()
    trained = {loss.name: trained_by(graph, loss, calls.reaches) for loss in calls.losses}
    return {loss for loss in calls.carried[reader] if calls.reaches[source] & trained[loss]}
