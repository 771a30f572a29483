"""What a line between two boxes says: whether a gradient runs along it, where it stops, which output it carries."""

from __future__ import annotations

from sslgraph.wire.gradients import is_integer
from sslgraph.wire.graph import Value
from sslgraph.wire.walks import reached

from ..elements.picture import Edge, Gradient
from .calls import Calls, Read


def line_of(calls: Calls, read: Read, source: str, target: str, shape: str) -> Edge:
    """The line of one read."""
    losses = calls.losses_along(read)
    gradient: Gradient = "gradient" if losses else "input" if _is_data(calls, read) else "none"
    maker = calls.calls[read.maker]
    output = _output(calls, maker, read)
    return Edge(
        source,
        target,
        gradient=gradient,
        name="" if output or (maker.kind == "view" and not read.is_member) else read.name,
        shape=shape,
        port=output or _port(calls, maker, read),
        stop=_is_stopped(calls, read, losses),
        losses=losses,
        reads=((read.value, read.reader, read.port),),
    )


def _port(calls: Calls, maker: Value, read: Read) -> str:
    """What a state is for a loss that reads it: its "negatives"."""
    box = calls.graph.maker(maker)
    is_loss = calls.calls[read.reader].kind == "loss"
    is_said = is_loss and not read.name and box is not None and box.section == "state" and box.name != read.port
    return read.port if is_said else ""


def _output(calls: Calls, maker: Value, read: Read) -> str:
    """The maker's output where a line must tell it: what is no image of a view, no first output of a net."""
    if maker.view is not None:
        return "" if maker.port == "image" else str(maker.port)
    box = calls.graph.maker(maker)
    is_net = box is not None and box.section in ("nets", "targets")
    return "" if is_net and box and read.output == box.signature.outputs[0].name else read.output


def _is_data(calls: Calls, read: Read) -> bool:
    """Whether a value is made of images alone, no net and no state above it, for a reader that is no slow copy."""
    reader = calls.calls[read.reader]
    if reader.box and calls.graph.boxes[reader.box].section == "targets":
        return False
    return not _sections(calls, calls.above(read.maker)) & {"nets", "targets", "state"}


def _is_stopped(calls: Calls, read: Read, losses: tuple[str, ...]) -> bool:
    """Whether a stop-gradient stands on a line: where a gradient ends, or where a slow copy meets a trained net.

    An index has no gradient that could be stopped, and what is stopped once is not stopped again further on.
    """
    is_index = any(is_integer(calls.graph, calls.leg, calls.leg.values[value]) for value, _, _ in read.hops)
    if losses or not calls.leg.is_training or is_index:
        return False
    is_met = bool(calls.carried[read.reader] and calls.reaches[read.reader])
    return _ends(calls, read) or (is_met and _is_copied(calls, read.maker))


def _ends(calls: Calls, read: Read) -> bool:
    """Whether the spec stops a gradient here, or a port takes none of what a gradient could move."""
    reader = calls.calls[read.reader]
    detached = calls.graph.boxes[reader.box].traits.detached if reader.box else ()
    return read.is_stopped or (bool(calls.reaches[read.value]) and read.port in detached)


def _is_copied(calls: Calls, maker: str) -> bool:
    """Whether a value comes from a slow copy along lines on which no gradient is stopped."""

    def makers(name: str) -> list[str]:
        return [read.maker for read in calls.reads if read.reader == name and not _ends(calls, read)]

    return "targets" in _sections(calls, reached([maker], makers))


def _sections(calls: Calls, names: set[str]) -> set[str]:
    """The sections of the parts of some calls; the rows of a pass over the data set come from a net."""
    found = [calls.calls[name] for name in names]
    given = {"nets"} if any(value.kind == "given" for value in found) else set[str]()
    return given | {calls.graph.boxes[value.box].section for value in found if value.box}
