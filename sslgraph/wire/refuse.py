"""Refuses mistakes and says the repair: unread views, unused nodes, losses without gradient, moved targets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sslgraph.errors import LINE, Fault, raise_all, unknown
from sslgraph.wire.gradients import gradient_map, moved_by, trained_by
from sslgraph.wire.graph import Graph, Leg, LossBox, Value
from sslgraph.wire.number_kinds import kind_faults


def refuse(graph: Graph) -> None:
    """Refuses what is never meant: unread views, unused nodes, losses without gradient, gradient into a target."""
    faults = [*_unused(graph), *_gradient_faults(graph), *_names(graph), *kind_faults(graph)]
    raise_all(faults, graph.place)


def _missing(faults: list[Fault]) -> list[Fault]:
    """Faults that say that a line is not there which would use something."""
    return [replace(fault, missing=LINE) for fault in faults]


def _unused(graph: Graph) -> list[Fault]:
    method, faults = graph.method, []
    used = _used_values(graph)
    views = {value.view for leg in graph.every_leg for name, value in leg.values.items() if (leg.name, name) in used}
    faults += [
        Fault(("views", v), f"nothing reads the view '{v}'", (), "read it in flow:, or remove it")
        for v in method.views
        if v not in views
    ]
    called = {value.box for leg in graph.every_leg for name, value in leg.values.items() if (leg.name, name) in used}
    called |= {write.box for leg in graph.every_leg for write in leg.writes}
    called |= {value.box for value in graph.export.values.values() if value.box in graph.method.ops}
    for box in graph.boxes.values():
        if box.section not in ("losses", "wiring") and box.name not in called:
            faults.append(
                Fault(box.path, f"nothing uses '{box.name}' ({box.section})", (), "call it in flow:, or remove it")
            )
    return _missing(faults + [fault for leg in graph.every_leg for fault in _unused_names(leg, used)])


def _unused_names(leg: Leg, used: set[tuple[str, str]]) -> Iterator[Fault]:
    """The names of a flow whose value nothing uses, and second names of a value that nothing reads."""
    cure = "give it to a loss or a write, or remove it"
    for name, value in leg.flow.items():
        others = [other for other in leg.flow if leg.flow[other] == value and other != name]
        others += [value] if leg.values[value].kind == "view" else []
        if (leg.name, value) not in used and leg.is_after_pass:
            problem = f"nothing in then: reads '{name}', so all images would pass for nothing"
            yield Fault(leg.values[value].path, problem, (), "leave flow: and collect: out; then: runs without them")
        elif (leg.name, value) not in used:
            yield Fault(leg.values[value].path, f"nothing uses the value '{name}'", (), cure)
        elif name not in leg.read and others:
            path = (*leg.values[value].path[:-1], name)
            yield Fault(path, f"nothing reads '{name}', a second name for '{others[0]}'", (), cure)


def _used_values(graph: Graph) -> set[tuple[str, str]]:
    used: set[tuple[str, str]] = set()
    for leg in graph.every_leg:
        ends = {loss.name for loss in leg.losses} | {source for write in leg.writes for _, source in write.inputs}
        ends |= {leg.collect} if leg.collect else set()
        used |= {(leg.name, name) for end in ends for name in leg.upstream(end)}
    return used


def _stops(graph: Graph, leg: Leg, loss: Value) -> str:
    """The parts that a gradient of a loss does not pass, in words."""
    upstream = set(leg.upstream(loss.name)) - {loss.name}
    above = [value for name, value in leg.values.items() if name in upstream]
    boxes = {value.box: [port for port, _ in value.inputs] for value in above if value.box}
    whole = [
        f"'{name}' ({box.use})"
        for name, ports in boxes.items()
        if (box := graph.boxes[name]).section in ("ops", "wiring")
        and ports
        and (set(ports) <= set(box.traits.detached) or box.traits.detached == ("*",))
    ]
    return f": none passes {', '.join(whole)}" if whole else ""


def _written(graph: Graph, leg: Leg, name: str) -> str:
    """A value by its name in the flow; an output that has none by that of its call: z, which is its first, or z.map."""
    value, known = leg.values[name], next((given for given, made in leg.flow.items() if made == name), None)
    if known or value.kind != "port":
        return known or name
    made_by, call = graph.maker(leg.values[value.inputs[0][1]]), _written(graph, leg, value.inputs[0][1])
    is_first = made_by is not None and made_by.signature.outputs[0].name == value.port
    return call if is_first else f"{call}.{value.port}"


def _gradient_faults(graph: Graph) -> list[Fault]:
    faults = []
    for leg in graph.legs:
        reaches = moved_by(graph, leg)
        for value in leg.values.values():
            box = graph.maker(value)
            if value.kind == "loss" and not trained_by(graph, value, reaches):
                problem = f"no gradient of loss '{value.name}' reaches a net that it may train"
                cure = "connect it to a trained net; check stopgrad, frozen, targets and trains:"
                shut = [(port, source) for port, source in value.inputs if box and port in box.traits.detached]
                trained = [(port, source) for port, source in shut if reaches[source]]
                if trained and len(shut) < len(value.inputs):
                    port, source = trained[0]
                    first = next(port for port, _ in value.inputs if (port, source) not in shut)
                    text = _written(graph, leg, source)
                    problem += f": '{text}', which is trained, is its {port}, through which none passes"
                    faults.append(
                        Fault(value.path, problem, (), f"exchange them in of:, so that '{text}' is its {first}")
                    )
                else:
                    faults.append(Fault(value.path, problem + _stops(graph, leg, value), (), cure))
            if box is not None and box.section == "targets" and leg.is_training:
                arriving = frozenset().union(*(reaches[source] for _, source in value.inputs))
                if arriving:
                    faults.append(
                        Fault(
                            value.path,
                            f"a gradient would pass through the target '{box.name}' into {', '.join(sorted(arriving))}",
                            (),
                            f"stop it in front of the target: {box.name}(stopgrad(...))",
                        )
                    )
    map_ = gradient_map(graph) if not faults else None
    for name, cells in (map_.rows if map_ else {}).items():
        if "dead" in cells:
            cure = "say frozen: true, or connect it to a loss"
            faults += _missing([Fault(("nets", name), f"no loss trains the net '{name}'", (), cure)])
    return faults


def _names(graph: Graph) -> list[Fault]:
    """Names outside the flow: trains, sample."""
    faults, boxes = [], graph.boxes
    nets = [b.name for b in boxes.values() if b.section == "nets"]
    for box in boxes.values():
        for trained in (isinstance(box, LossBox) and box.spec.trains) or ():
            if trained not in nets:
                what = f"loss '{box.name}' trains the unknown net"
                faults.append(unknown((*box.path, "trains"), what, trained, nets))
    for i, phase in enumerate(graph.method.phases):
        for state in (phase.sample or {}).values():
            if state not in graph.method.state:
                what = "sample: balance names the unknown state"
                faults.append(unknown(("phases", i, "sample"), what, state, graph.method.state))
    return faults
