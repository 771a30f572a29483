"""The steps of each view: those of its augmentation, with the view's own settings. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from sslgraph.errors import Fault, raise_all, unknown
from sslgraph.parts import registry
from sslgraph.parts.arguments import setting_faults
from sslgraph.parts.signature import Signature
from sslgraph.read.spec import Augmentation, Part, View


def is_normalization(step: Part) -> bool:
    """Whether a step takes off a mean of each channel and divides by a spread."""
    return _signature(step).traits.role == "normalization"


def _signature(step: Part) -> Signature:
    return registry.signature(step.use, registry.let_through(step.use))


def resolve(views: Mapping[str, View], augmentations: Mapping[str, Augmentation]) -> dict[str, dict[str, Part]]:
    """The steps of every view with the view's overrides in place; a SpecError lists whatever does not fit."""
    resolved: dict[str, dict[str, Part]] = {}
    faults: list[Fault] = []
    for name, view in views.items():
        if view.augment in augmentations:
            resolved[name] = _overridden(name, view, augmentations[view.augment], faults)
        else:
            faults.append(unknown(("views", name, "augment"), "there is no augmentation", view.augment, augmentations))
    raise_all(faults)
    return resolved


def shown(
    views: Mapping[str, View], augmentations: Mapping[str, Augmentation], like: str
) -> tuple[int | None, Part | None]:
    """The side of the images of a training view, and the step that normalises them; None where nothing says it."""
    seen = resolve({like: views[like]}, augmentations)[like].values()
    normalizations = [part for part in seen if is_normalization(part)]
    side = next((part.settings["size"] for part in seen if "size" in part.settings), None)
    return side, normalizations[-1] if normalizations else None


def _overridden(name: str, view: View, augmentation: Augmentation, faults: list[Fault]) -> dict[str, Part]:
    steps = dict(augmentation.steps)
    for key, value in view.settings.items():
        owner = _owner(f"view '{name}'", view.augment, key, steps)
        if isinstance(owner, Fault):
            faults.append(owner.under(("views", name)))
            continue
        step, setting = owner
        wrong = setting_faults(_signature(steps[step]), {setting: value})
        faults += [replace(fault, at=("views", name, key)) for fault in wrong if fault.at]
        steps[step] = steps[step].model_copy(update={"settings": {**steps[step].settings, setting: value}})
    faults += [fault.under(("views", name)) for fault in _bag_faults(name, view.copies, steps)]
    return steps


def _owner(view: str, augment: str, key: str, steps: Mapping[str, Part]) -> tuple[str, str] | Fault:
    """The step and the setting that a key of a view means."""
    settings = {step: _signature(part).settings for step, part in steps.items()}
    step, dot, setting = key.partition(".")
    if dot and step not in steps:
        return unknown((key,), f"{view} sets '{key}', but augmentation '{augment}' has no step", step, steps)
    if dot and setting not in settings[step]:
        return unknown((key,), f"{view} sets '{key}', but {steps[step].use} has no setting", setting, settings[step])
    owners = [step] if dot else [step for step in steps if key in settings[step]]
    if len(owners) == 1:
        return owners[0], setting or key
    if owners:
        forms = tuple(f"{owner}.{key}" for owner in owners)
        return Fault((key,), f"{view} sets '{key}', which several steps of '{augment}' have", forms, "name the step")
    return unknown((key,), f"{view}: '{augment}' has no setting", key, {s for own in settings.values() for s in own})


def _bag_faults(view: str, copies: int, steps: Mapping[str, Part]) -> Iterator[Fault]:
    for step, part in steps.items():
        chances = part.settings.get("p")
        if isinstance(chances, list) and len(chances) != copies:
            problem = f"step '{step}' of view '{view}' lists {len(chances)} probabilities, and copies is {copies}"
            yield Fault((f"{step}.p",), problem, cure=f"write one number for all copies, or a list of {copies}")
