"""A view that renders another view's crop: its box and flip, in another size, with its own colours or none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sslgraph.errors import Fault, raise_all, unknown
from sslgraph.parts import registry
from sslgraph.read.spec import OWN, Part, View


def placed(views: Mapping[str, View], steps: Mapping[str, Mapping[str, Part]]) -> dict[str, dict[str, Part]]:
    """The steps of every view; in a rendering, those that place the crop are set as in the view that it renders."""
    found = {name: dict(parts) for name, parts in steps.items()}
    faults = [fault for name in views for fault in _faults(name, views, steps)]
    raise_all(faults)
    for name, view in views.items():
        if view.crop_of is not None:
            for step, part in _placing(steps[view.crop_of]).items():
                mine = steps[name][step].settings
                own = {key: mine[key] for key in OWN if {key, f"{step}.{key}"} & set(view.settings) and key in mine}
                found[name][step] = part.model_copy(update={"settings": {**part.settings, **own}})
    return found


def _faults(name: str, views: Mapping[str, View], steps: Mapping[str, Mapping[str, Part]]) -> Iterator[Fault]:
    view, at = views[name], ("views", name, "crop_of")
    if view.crop_of is None:
        if view.shift:
            problem = f"view '{name}' has a shift and a crop of its own, which is random already"
            yield Fault(("views", name, "shift"), problem, cure="say whose crop it moves: crop_of: VIEW")
        return
    earlier = [other for other in list(views)[: list(views).index(name)] if views[other].crop_of is None]
    if view.crop_of not in earlier:
        who = f"view '{name}' renders a view above it that has a crop of its own, and there is no"
        yield unknown(at, who, view.crop_of, earlier)
        return
    other = views[view.crop_of]
    if view.copies != other.copies:
        problem = f"view '{name}' has {view.copies} copies and '{view.crop_of}' {other.copies}"
        yield Fault(at, problem, cure="write as many")
    mine, theirs = _placing(steps[name]), _placing(steps[view.crop_of])
    if [(step, part.use) for step, part in mine.items()] != [(step, part.use) for step, part in theirs.items()]:
        problem = f"view '{name}' places its crop by {_listed(mine)}, and '{view.crop_of}' by {_listed(theirs)}"
        yield Fault(at, problem, cure="use an augmentation with the same steps of geometry")
    for key in view.settings:
        step, dot, setting = key.rpartition(".")
        if setting not in OWN and (step in mine if dot else any(setting in part.settings for part in mine.values())):
            problem = f"view '{name}' sets {key}, but its crop is that of '{view.crop_of}'"
            yield Fault(("views", name, key), problem, cure=f"set it in view '{view.crop_of}'")


def _placing(steps: Mapping[str, Part]) -> dict[str, Part]:
    classes = {step: registry.load_class(part.use, registry.let_through(part.use)) for step, part in steps.items()}
    return {step: part for step, part in steps.items() if hasattr(classes[step], "place")}


def _listed(steps: Mapping[str, Part]) -> str:
    return ", ".join(f"{step} ({part.use})" for step, part in steps.items()) or "no step"
