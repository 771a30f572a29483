"""From the declarations of a method to its parts: which class, which settings, is every one of them known."""

from __future__ import annotations

import keyword
from collections.abc import Callable
from typing import Any

from sslgraph import registry
from sslgraph.errors import Fault, Place, SslgraphError, unknown
from sslgraph.graph import Box, LossBox, NetBox, OpBox, StateBox, TargetBox
from sslgraph.spec import Method, Path, Target

KINDS: dict[str, type[Box]] = {kind.section: kind for kind in (NetBox, TargetBox, StateBox, OpBox, LossBox)}
# Names that generated code or torch's own module container needs for itself.
TAKEN = {
    "bag",
    "self",
    "draw",
    "clock",
    "views",
    "torch",
    "losses",
    "writes",
    "type",
    "train",
    "eval",
    "keys",
    "items",
    "values",
    "pop",
    "clear",
    "update",
    "forward",
    "parameters",
    "buffers",
    "modules",
    "children",
    "to",
    "half",
    "float",
    "double",
    "apply",
    "cpu",
    "cuda",
    "compile",
    "dump_patches",
    "training",
    "call_super_init",
}


def declared_boxes(
    method: Method, place: Callable[[Path], Place | None], plugins: tuple[str, ...], faults: list[Fault]
) -> dict[str, Box]:
    boxes: dict[str, Box] = {}
    declared: list[tuple[str, str, Any]] = [("views", name, None) for name in method.views]
    declared += [(s, name, part) for s in ("nets", "state", "ops") for name, part in getattr(method, s).items()]
    declared += [("targets", name, target) for name, target in method.targets.items()]
    losses = [*method.losses.items(), *(item for phase in method.phases for item in phase.losses.items())]
    declared += [("losses", name, loss) for name, loss in losses]
    seen: dict[str, str] = {}
    for section, name, part in declared:
        here = place((section, name))
        if not name.isidentifier() or keyword.iskeyword(name) or name in TAKEN or name.startswith("_"):
            faults.append(
                Fault(
                    here,
                    f"'{name}' can't be a name here",
                    (),
                    "use letters, digits and _, and no word of Python or torch",
                )
            )
        elif name in seen:
            faults.append(
                Fault(here, f"'{name}' names something in {section} and in {seen[name]}", (), "give each its own name")
            )
        elif part is not None:
            seen[name] = section
            _add_box(boxes, section, name, part, method, place, plugins, faults)
        else:
            seen[name] = section
    return boxes


def phase_faults(method: Method, place: Callable[[Path], Place | None]) -> list[Fault]:
    """Phases of which a part would never run: every phase is either a pass over the data set or the training."""
    faults, names = [], ["step"]
    trains = ["the method itself"] if method.losses else []
    for i, phase in enumerate(method.phases):
        here = place(("phases", i))
        if phase.name in names:
            faults.append(Fault(here, f"two phases are called '{phase.name}'", (), "give each its own name"))
        names.append(phase.name)
        if bool(phase.losses) == bool(phase.collect):
            both = "collects and trains" if phase.losses else "neither collects nor trains"
            faults.append(
                Fault(here, f"phase '{phase.name}' {both}", (), "write either collect: and then:, or losses:")
            )
        elif phase.then if phase.losses else phase.after_step:
            key, cure = ("then", "collect") if phase.losses else ("after_step", "losses")
            faults.append(Fault(here, f"{key}: of phase '{phase.name}' would never run", (), f"it belongs to {cure}:"))
        if phase.collect and phase.collect not in phase.flow:
            faults.append(
                Fault(
                    place(("phases", i, "collect")),
                    f"phase '{phase.name}' collects '{phase.collect}'",
                    tuple(phase.flow),
                    "name a value of its flow:",
                )
            )
        if phase.losses:
            trains.append(f"phase '{phase.name}'")
    if len(trains) > 1:
        faults.append(
            Fault(
                place(("phases",)), f"{' and '.join(trains)} train, and only one may", (), "put all losses in one place"
            )
        )
    return faults


def _add_box(
    boxes: dict[str, Box],
    section: str,
    name: str,
    part: Any,
    method: Method,
    place: Callable[[Path], Place | None],
    plugins: tuple[str, ...],
    faults: list[Fault],
) -> None:
    path: Path = (section, name)
    use, settings = getattr(part, "use", ""), dict(part.settings)
    if isinstance(part, Target):
        if part.ema_of not in method.nets:
            faults.append(unknown(place((*path, "ema_of")), f"target '{name}' follows", part.ema_of, method.nets))
            return
        followed = method.nets[part.ema_of]
        use, settings = followed.use, {**followed.settings, **part.settings}
    try:
        signature = registry.signature(use, plugins)
    except SslgraphError as wrong:
        faults.append(Fault(place((*path, "use")), str(wrong)))
        return
    own = {
        k: v for k, v in settings.items() if section != "losses" or k not in signature.ports or k in signature.settings
    }
    for problem in registry.setting_problems(signature, own, ports=signature.ports if section == "losses" else ()):
        key = next((k for k in own if f"'{k}'" in problem.split(";")[0]), None)
        if isinstance(part, Target) and key not in part.settings:
            continue  # told at the net that it follows
        faults.append(Fault(place((*path, key)) if key else place(path), problem))
    boxes[name] = KINDS[section](name, use, own, signature, path, part)
