"""Wires a draft before its parts are written: the calls of a spec say which ports a part has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from sslgraph.errors import SpecError, SslgraphError
from sslgraph.parts import registry
from sslgraph.parts.signature import Port, Setting, Signature
from sslgraph.read.spec import Loss, Method, Part
from sslgraph.traits import Traits
from sslgraph.wire.export import parts
from sslgraph.wire.expressions import DEEPEST, Call, Expression, Field, Member, Name, parse

DRAFT = "not written yet"  # the source of a part that replaces one
SECTIONS = ("nets", "state", "ops", "losses")


@dataclass
class _Use:
    """How the texts of a method use a part: with how many values, under which names, for which outputs and writes."""

    most: int = 0
    least: int = 99
    named: list[str] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)
    writes: dict[str, int] = field(default_factory=dict)


def sketched(method: Method, plugins: tuple[str, ...] = ()) -> tuple[Method, dict[str, Signature]]:
    """The method with an op for everything that its flow calls and nobody declares, and the signatures of its drafts.

    A part is a draft if it can't be read; of a part that is there, settings may be missing.
    """
    uses = _uses(method)
    wiring = {part.split(".")[1] for part in registry.catalogue("wiring")} | {"bag"}
    declared = {name for section in (*SECTIONS, "targets", "views") for name in getattr(method, section)}
    loose = {name: Part(use=f"ops.{name}") for name in uses if name not in declared | wiring | set(method.views)}
    method = method.model_copy(update={"ops": {**method.ops, **loose}})
    found: dict[str, Signature] = {}
    for section in SECTIONS:
        for name, part in getattr(method, section).items():
            found[name] = _signature(part, uses.get(name, _Use()), method, plugins)
    for phase in method.phases:
        found |= {name: _signature(loss, _Use(), method, plugins) for name, loss in phase.losses.items()}
    return method, found


def is_draft(signature: Signature) -> bool:
    """Whether a part replaces one that is not written yet."""
    return signature.traits.source == DRAFT


def _signature(part: Part | Loss, use: _Use, method: Method, plugins: tuple[str, ...]) -> Signature:
    try:
        there = registry.signature(part.use, plugins, imports=False)
    except SslgraphError:
        there = None
    if there is not None and not there.unread and there.outputs:
        given = {key: replace(s, default=None) if s.is_required else s for key, s in there.settings.items()}
        return replace(there, settings=given)
    class_name = part.use.replace(":", ".").rpartition(".")[2].replace("_", " ")
    settings = {key: Setting(key, "Any", value) for key, value in part.settings.items()}
    if isinstance(part, Loss):
        ports = {key: Port(key, "Tensor") for key, value in part.settings.items() if _is_value(value, method)}
        settings = {key: setting for key, setting in settings.items() if key not in ports}
        inputs = {f"of {n + 1}": Port(f"of {n + 1}", "Tensor") for n in range(len(part.of))} | ports
    else:
        inputs = _inputs(use)
    outputs = tuple(Port(out, "Tensor") for out in (["out", *use.fields] if use.fields else [""]))
    writes = {write: _numbered(count) for write, count in use.writes.items()}
    return Signature(part.use, class_name, "", "", "", Traits(source=DRAFT), settings, inputs, outputs, writes)


def _inputs(use: _Use) -> dict[str, Port]:
    """As many ports as a call has values at most; those that some call leaves out need not be given."""
    ports = {name: replace(port, optional=n >= use.least) for n, (name, port) in enumerate(_numbered(use.most).items())}
    return ports | {name: Port(name, "Tensor", optional=True) for name in use.named}


def _numbered(count: int) -> dict[str, Port]:
    return {f"in{n + 1}": Port(f"in{n + 1}", "Tensor") for n in range(count)}


def _is_value(value: Any, method: Method) -> bool:
    """Whether a setting of a loss names something that flows."""
    if not isinstance(value, str):
        return False
    try:
        names = [part.text for part in parts(parse(value)) if isinstance(part, Name)]
    except SpecError:
        return False
    flows = {*method.flow, *method.views, *method.state, *(key for phase in method.phases for key in phase.flow)}
    return bool(names) and set(names) <= flows


def _uses(method: Method) -> dict[str, _Use]:
    """For each name that is called or read somewhere, how."""
    found: dict[str, _Use] = {}
    flows = {**method.flow, **{name: text for phase in method.phases for name, text in phase.flow.items()}}
    for expression in _expressions(_texts(method, flows)):
        for part in parts(expression):
            match part:
                case Call(function=Field(of=Name(text=owner), name=write)) if write != "read":
                    found.setdefault(owner, _Use()).writes[write] = len(part.arguments)
                case Call(function=Name(text=name) | Field(of=Name(text=name), name="read")):
                    _count(found.setdefault(name, _Use()), part)
                case Field(of=of, name=port) if port != "read":
                    if (maker := _maker(of, flows)) and port not in found.setdefault(maker, _Use()).fields:
                        found[maker].fields.append(port)
    for target in method.targets:  # a copy has the ports of its net
        if target in found:
            net, own = found.setdefault(method.net_of(target), _Use()), found.pop(target)
            net.most, net.least = max(net.most, own.most), min(net.least, own.least)
            net.named += [name for name in own.named if name not in net.named]
            net.fields += [port for port in own.fields if port not in net.fields]
    return found


def _count(use: _Use, call: Call) -> None:
    use.most, use.least = max(use.most, len(call.arguments)), min(use.least, len(call.arguments))
    use.named += [name for name, _ in call.named if name not in use.named]


def _maker(of: Expression, flows: dict[str, str]) -> str:
    """The part whose output a field is, through the names of the flow."""
    for _ in range(DEEPEST):
        if isinstance(of, Member):
            of = of.of
        elif isinstance(of, Name) and of.text in flows:
            of = next(_expressions([flows[of.text]]), Name(""))
    return of.function.text if isinstance(of, Call) and isinstance(of.function, Name) else ""


def _texts(method: Method, flows: dict[str, str]) -> list[str]:
    losses = [*method.losses.values(), *(loss for phase in method.phases for loss in phase.losses.values())]
    said = [text for loss in losses for text in (*loss.of, *(v for v in loss.settings.values() if isinstance(v, str)))]
    writes = [*method.after_step, *(text for phase in method.phases for text in (*phase.then, *phase.after_step))]
    return [*flows.values(), *said, *writes]


def _expressions(texts: Iterable[str]) -> Iterator[Expression]:
    """The texts that can be read; wiring tells what is wrong with the others."""
    for text in texts:
        try:
            yield parse(text)
        except SpecError:
            continue
