"""Assigns each value of a call to a port: by position in the order of `forward`, or by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sslgraph.errors import SpecError, refusal, unknown
from sslgraph.parts.signature import Port
from sslgraph.wire.expressions import Call, Expression


def by_port(
    call: Call, ports: Mapping[str, Port], *, who: str, settings: Collection[str] = ()
) -> tuple[tuple[str, Expression], ...]:
    """The values of a call by port, in the order of the ports.

    `who` names the part in a message. SpecError if a value has no port, or a port two values or none that it needs.
    """
    takes = ", ".join(f"{p.name}: {p}" + (" (may be left out)" if p.optional else "") for p in ports.values())
    cure = f"it takes {takes or 'nothing'}"
    count = len(call.arguments) + len(call.named)
    given = dict(zip(ports, call.arguments, strict=False))
    if len(call.arguments) > len(ports):
        raise refusal(call.at, f"{who} is given {count} inputs", cure)
    for port, value in call.named:
        if port in given:
            raise refusal(value.at, f"{who} is given '{port}' twice", cure)
        if port not in ports and port in settings:
            raise refusal(value.at, f"'{port}' is a setting of {who}, and a call gives values", "write it as a key")
        if port not in ports:
            raise SpecError([unknown(value.at, f"{who} has no input", port, ports)])
        given[port] = value
    if lacking := [port.name for port in ports.values() if not port.optional and port.name not in given]:
        lacks = f", and not '{lacking[0]}'" if call.named else ""
        raise refusal(call.at, f"{who} is given {count} inputs{lacks}", cure)
    return tuple((port, given[port]) for port in ports if port in given)
