"""From a method's declarations to its parts: the class and the settings of each, all of them known."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from sslgraph.errors import Fault, SslgraphError, faults_of, unknown
from sslgraph.parts import registry
from sslgraph.parts.arguments import setting_faults
from sslgraph.parts.kinds import moves
from sslgraph.parts.signature import Port, Signature
from sslgraph.read.spec import Average, Loss, Method, Path, Target
from sslgraph.wire.graph import Box, LossBox, NetBox, OpBox, StateBox, TargetBox

MAKES_NUMBERS = ("losses", "ops")  # sections of parts that take numbers from the flow
KINDS: dict[str, type[Box]] = {kind.section: kind for kind in (NetBox, TargetBox, StateBox, OpBox, LossBox)}
# Names that generated code or torch's own module container needs for itself.
TAKEN = {
    "bag", "self", "draw", "clock", "views", "torch", "code", "graph", "meta", "recompile", "losses", "writes", "type",
    "train", "eval", "keys", "items", "values", "pop", "clear", "update", "forward", "parameters", "buffers", "modules",
    "children", "to", "half", "float", "double", "apply", "cpu", "cuda", "compile", "dump_patches", "training",
    "call_super_init",
}  # fmt: skip


def declared_boxes(
    method: Method,
    plugins: tuple[str, ...],
    faults: list[Fault],
    *,
    imports: bool = True,
    stand_ins: Mapping[str, Signature] | None = None,
) -> dict[str, Box]:
    """A box for each declared part; `imports`: a plugin whose text leaves its ports open may be imported.

    `stand_ins`: what is taken for the signatures of these parts.
    """
    boxes: dict[str, Box] = {}
    declared: list[tuple[Path, Any]] = [(("views", name), None) for name in method.views]
    for section in ("nets", "state", "ops", "targets", "losses"):
        declared += [((section, name), part) for name, part in getattr(method, section).items()]
    for i, phase in enumerate(method.phases):
        declared += [(("phases", i, "losses", name), loss) for name, loss in phase.losses.items()]
    seen: dict[str, str] = {}
    for path, part in declared:
        section, name = str(path[-2]), str(path[-1])
        if name in TAKEN:
            problem = f"'{name}' can't be a name: the program or torch's modules have the word for themselves"
            faults.append(Fault(path, problem, (), f"choose another name, such as '{name}_1'"))
        elif not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
            cure = "begin with a letter, use letters, digits and _, and no word of Python's such as 'lambda'"
            faults.append(Fault(path, f"'{name}' can't be a name", (), cure))
        elif name in seen:
            problem = f"'{name}' names something in {section} and in {seen[name]}"
            faults.append(Fault(path, problem, (), "give each its own name"))
        else:
            seen[name] = section
            if part is not None:
                _add_box(boxes, path, part, method, plugins, faults, imports, stand_ins or {})
    return boxes


def phase_faults(method: Method) -> list[Fault]:
    """Phases of which a part would never run: every phase is either a pass over the data set or the training."""
    faults, names = [], ["step"]
    trains = ["the method itself"] if method.losses else []
    for i, phase in enumerate(method.phases):
        here: Path = ("phases", i)
        if phase.name in names:
            faults.append(Fault(here, f"two phases are called '{phase.name}'", (), "give each its own name"))
        names.append(phase.name)
        is_empty = not (phase.losses or phase.collect or phase.then)
        if is_empty or (phase.losses and phase.collect):
            both = "neither writes nor trains" if is_empty else "collects and trains"
            cure = "write either then:, with collect: if it needs all images, or losses:"
            faults.append(Fault(here, f"phase '{phase.name}' {both}", (), cure))
        elif phase.flow and not (phase.losses or phase.collect):
            cure = "write collect: and a value of it, or leave flow: out; then: alone reads states"
            faults.append(Fault((*here, "flow"), f"flow: of phase '{phase.name}' would never run", (), cure))
        elif phase.then if phase.losses else phase.after_step:
            key, cure = ("then", "collect") if phase.losses else ("after_step", "losses")
            faults.append(Fault(here, f"{key}: of phase '{phase.name}' would never run", (), f"it belongs to {cure}:"))
        if phase.collect and phase.collect not in phase.flow:
            problem = f"phase '{phase.name}' collects '{phase.collect}'"
            faults.append(Fault((*here, "collect"), problem, tuple(phase.flow), "name a value of its flow:"))
        if phase.losses:
            trains.append(f"phase '{phase.name}'")
    if len(trains) > 1:
        problem = f"{' and '.join(trains)} have losses, but only one may"
        faults.append(Fault(("phases",), problem, (), "put all losses in one place"))
    return faults


def picture_faults(method: Method, boxes: Mapping[str, Box]) -> Iterator[Fault]:
    """The names in `picture:` that no part and no view has."""
    said = method.picture
    nets = [name for name, box in boxes.items() if box.section in ("nets", "targets")]
    ops = [name for name, box in boxes.items() if box.section == "ops"]
    everything = [*boxes, *method.views]
    asked: list[tuple[str, Path, list[str]]] = [
        *((name, ("picture", "names", name), everything) for name in said.names),
        *((name, ("picture", "branches", name), nets) for name in said.branches),
        *((name, ("picture", "hide", i), ops) for i, name in enumerate(said.hide)),
        *((name, ("picture", "order", i), [*nets, *method.views]) for i, name in enumerate(said.order)),
        *((name, ("picture", "focus", i), everything) for i, name in enumerate(said.focus)),
    ]
    for name, path, known in asked:
        if name.rpartition(".")[2] not in known:
            yield unknown(path, f"picture: {path[1]}: there is no", name, known)


def _add_box(
    boxes: dict[str, Box], path: Path, part: Any, method: Method, plugins: tuple[str, ...], faults: list[Fault],
    imports: bool, stand_ins: Mapping[str, Signature],
) -> None:  # fmt: skip
    section, name = str(path[-2]), str(path[-1])
    use, settings = getattr(part, "use", ""), dict(part.settings)
    if isinstance(part, Target):
        if fault := _follows_fault(method, name, part):
            faults.append(fault.under(path))
            return
        net = method.nets[method.net_of(name)]
        between = method.targets[part.follows].settings if part.follows in method.targets else {}
        use, settings = net.use, {**net.settings, **between, **part.settings}
    stand_in = stand_ins.get(method.net_of(name) if isinstance(part, Target) else name)
    try:
        signature = stand_in or registry.signature(use, plugins, imports=imports)
    except SslgraphError as refused:
        faults += [fault.under((*path, "use")) for fault in faults_of(refused)]
        return
    if signature.unread or not signature.outputs:
        faults.append(Fault((*path, "use"), *_ports_not_known(signature)))
        return
    numbers = tuple(k for k, v in settings.items() if section in MAKES_NUMBERS and _is_made(signature, k, v))
    if isinstance(part, Loss) and isinstance(part.weight, str):
        numbers += ("weight",)
    signature = _with_ports(signature, numbers)
    ports = signature.ports if section == "losses" else {}
    given = {*numbers, *(ports.keys() - signature.settings.keys())}  # by the flow
    own = {key: value for key, value in settings.items() if key not in given}
    wrong = setting_faults(signature, own, ports=ports)
    if isinstance(part, Target):  # faults in the settings of the net that it follows are reported there
        wrong = [fault for fault in wrong if fault.at in [(key,) for key in part.settings]]
    faults += [fault.under(path) for fault in wrong]
    known = (stand_in or registry.signature(use, plugins)).settings
    own |= {k: 1.0 for k in numbers if k in known and known[k].is_required}
    boxes[name] = box = KINDS[section](name, use, own, signature, path, part, numbers)
    if isinstance(box, TargetBox):
        boxes[name] = replace(box, of_net=method.net_of(name))


def _follows_fault(method: Method, name: str, target: Target) -> Fault | None:
    """What a target names and can't be a copy of: a moving average follows a net, a snapshot that or a net."""
    if isinstance(target, Average):
        what = f"target '{name}' follows the unknown net"
        return None if target.follows in method.nets else unknown(("ema_of",), what, target.follows, method.nets)
    legal = {**method.nets, **method.averages}
    if target.follows in method.snapshots:
        problem = f"'{name}' is a snapshot of '{target.follows}', which is itself a snapshot"
        return Fault(("snapshot_of",), problem, tuple(legal), "name a net or a moving average")
    what = f"'{name}' is a snapshot of the unknown net or target"
    return None if target.follows in legal else unknown(("snapshot_of",), what, target.follows, legal)


def _is_made(signature: Signature, name: str, value: Any) -> bool:
    """Whether a text in place of a number or a schedule names a value of the flow."""
    found = signature.settings.get(name)
    return isinstance(value, str) and found is not None and moves(found.annotation) and not _is_number(value)


def _is_number(text: str) -> bool:
    """Whether a text would be a number without its quotes, which is then what is wrong with it."""
    return bool(re.match(r"[-+.]?\d", text))


def _with_ports(signature: Signature, numbers: tuple[str, ...]) -> Signature:
    """The signature with these settings as ports behind the others."""
    ports = {name: Port(name, 'Float[Tensor, "*numbers"]') for name in numbers}
    left = {name: setting for name, setting in signature.settings.items() if name not in numbers}
    return replace(signature, inputs={**signature.inputs, **ports}, settings=left) if numbers else signature


def _ports_not_known(signature: Signature) -> tuple[str, tuple[str, ...], str]:
    if signature.unread:
        cure = "its ports are read once torch may be imported: check it without --fast"
        return f"the ports of {signature.use} are not known: {signature.unread}", (), cure
    return f"{signature.use} has no forward, so nothing can be given to it", (), f"define forward in {signature.file}"
