"""Rules about masks: what a loss wants of hidden places is hidden from the net that sees the image."""

from __future__ import annotations

from collections.abc import Iterator

from sslgraph.wire.graph import Box, Graph, NetBox, TargetBox, Value

from .queries import box_of, calls, nets, parts_upstream, setting, sights
from .rule import Doubt, Facts, rule

HIDES = ("mask", "blocks")  # what a mask shows that leaves places out; a hole is in the image that it gives itself


@rule("SG112", "arXiv:2111.06377, section 3; arXiv:2111.09886, section 3.2")
def nothing_is_hidden(graph: Graph, _: Facts) -> Iterator[Doubt]:
    """What a mask hides is left out or replaced where a net sees the image."""
    takers = {name: box for name, box in graph.boxes.items() if box.traits.hides}
    for mask, box in calls(graph):
        if _is_mask(box) and takers and not _is_hiding(graph, mask):
            name, taker = next(iter(takers.items()))
            yield Doubt(
                mask.path,
                f"nothing is hidden: no net leaves out or replaces what '{box.name}' ({box.use}) hides, so what is to "
                "be predicted is seen",
                "give an output of the mask to the net that sees the image: "
                + " or ".join(f"{name}(..., {port}=...)" for port in taker.traits.hides),
            )


@rule("SG114", "arXiv:2111.06377, section 3; arXiv:2301.08243, section 3")
def outputs_exchanged(graph: Graph, _: Facts) -> Iterator[Doubt]:
    """A net takes that output of a mask which its port is named after."""
    values = graph.training.values
    for value, box in calls(graph):
        for port, source in value.inputs if box.section in ("nets", "targets") else ():
            given = values[source]
            maker = graph.boxes.get(values[given.inputs[0][1]].box or "") if given.kind == "port" else None
            if (
                maker
                and _is_mask(maker)
                and given.port != port
                and port in {output.name for output in maker.signature.outputs}
            ):
                yield Doubt(
                    value.path,
                    f"'{box.name}' takes '{port}', and is given '{given.port}' of '{maker.name}' ({maker.use}), which "
                    f"has an output '{port}' too",
                    f"give it that one, or name the port that is meant: {box.name}(..., {given.port}=...)",
                )


@rule("SG115", "arXiv:2111.07832, section 3.1; arXiv:2103.10957, section 3")
def mask_of_another_view(graph: Graph, _: Facts) -> Iterator[Doubt]:
    """A mask, or a label map, is used on the view that it is of."""
    seen, made = sights(graph), _of_places(graph)
    for value, box in calls(graph):
        of_others = [seen[source] for _, source in value.inputs if source not in made and seen[source]]
        of_others = of_others if value.kind == "loss" else [frozenset().union(*of_others)] if of_others else []
        for port, source in value.inputs:
            elsewhere = [views for views in of_others if seen[source].isdisjoint(views)]
            if source in made and seen[source] and elsewhere and _tells_places(graph, box, source, made):
                theirs = " and ".join(sorted(elsewhere[0]))
                yield Doubt(
                    value.path,
                    f"'{box.name}' ({box.use}) is given, at '{port}', places of {' and '.join(sorted(seen[source]))} "
                    f"for what is seen in {theirs}: another crop shows other things there",
                    f"make the mask, or read the map, of {theirs}",
                )
                break


@rule("SG117", "arXiv:2401.08541, section 3.1")
def next_place_is_seen(graph: Graph, _: Facts) -> Iterator[Doubt]:
    """A place from which a later one is predicted knows nothing of it."""
    seen, passed = sights(graph), nets(graph)
    for loss in graph.training.losses:
        sides = {source: parts_upstream(graph, source) for _, source in loss.inputs if seen[source]}
        later = [source for source, parts in sides.items() if any(_cut(part)[0] > 0 for part in parts)]
        for source, parts in sides.items():
            is_earlier = source not in later and any(_cut(part)[1] < 0 for part in parts)
            # Where both sides pass the same nets neighbours are compared, as by a total variation.
            own = passed[source]
            told = [other for other in later if seen[source] & seen[other] and own - passed[other]]
            if not is_earlier or not told:
                continue
            for value, box in calls(graph):
                if value.name in graph.training.upstream(source) and _sees_all(box, value):
                    yield Doubt(
                        loss.path,
                        f"'{loss.name}' wants of each place what stands at a later one, and '{box.name}' ({box.use}) "
                        f"sees all places before '{source}' tells it",
                        f"let '{box.name}' see the places before alone, as a transformer with attention: causal does",
                    )


@rule("SG118", "arXiv:2111.06377, section 3; arXiv:2111.09886, section 3.2")
def loss_of_what_is_seen(graph: Graph, _: Facts) -> Iterator[Doubt]:
    """A loss of a masked image counts what is hidden."""
    for loss in graph.training.losses:
        box, inputs = graph.boxes[loss.name], dict(loss.inputs)
        told = _told(graph, inputs.pop(box.traits.weighed_by)) if box.traits.weighed_by in inputs else None
        if told is None or told[1] or told[2] <= 0 or _has_teacher(graph, inputs):
            continue
        mask = graph.training.values[told[0]]
        others = [other.name for other in graph.training.losses if mask.name in graph.training.upstream(other.name)]
        if others == [loss.name] and _is_hiding(graph, mask):
            yield Doubt(
                loss.path,
                f"'{loss.name}' counts at '{box.traits.weighed_by}' the places that '{mask.box}' leaves to be seen, "
                "and none that it hides: what is seen is copied",
                f"write {box.traits.weighed_by}: with the output of '{mask.box}' itself",
            )


def _cut(part: Box) -> tuple[int, int]:
    """From where to where a part that cuts places keeps them, as slices count; (0, 0) of any other part."""
    if not part.traits.cuts:
        return 0, 0
    return int(setting(part, "start") or 0), int(setting(part, "stop") or 0)


def _sees_all(box: Box, call: Value) -> bool:
    """Whether each place that a net gives is known to be made of all places that it is given."""
    if box.section not in ("nets", "targets"):
        return False
    choices = box.signature.settings.get("attention")
    if choices and "'causal'" in choices.annotation.replace('"', "'"):
        return bool(setting(box, "attention") != "causal")
    return bool(box.traits.hides) and not set(box.traits.hides) & set(dict(call.inputs))


def _of_places(graph: Graph) -> set[str]:
    """The values that only say something of the places of a view: outputs of a mask, label maps, and what is made of
    these alone.
    """
    found: set[str] = set()
    for name, value in graph.training.values.items():
        box = box_of(graph, name)
        is_mask = box is not None and _is_mask(box)
        is_made = bool(value.inputs) and found.issuperset(source for _, source in value.inputs)
        if (
            is_mask
            or (value.kind == "view" and value.port == "map")
            or (is_made and (not box or box.section != "nets"))
        ):
            found.add(name)
    return found


def _tells_places(graph: Graph, box: Box, source: str, made: set[str]) -> bool:
    """Whether it matters which places a part is given: not where a net only drops some, and no other part is told."""
    upstream, masks = graph.training.upstream, {value.name for value, box in calls(graph) if _is_mask(box)}
    of = masks.intersection(upstream(source))
    if not of or box.section not in ("nets", "targets"):
        return True
    told = (value for value, other in calls(graph) if value.name not in made and other.net != box.net)
    return any(given in made and of.intersection(upstream(given)) for value in told for _, given in value.inputs)


def _is_mask(box: Box) -> bool:
    return box.traits.role == "mask" and box.traits.shows in HIDES


def _is_hiding(graph: Graph, mask: Value) -> bool:
    """Whether the mask reaches a net at a port that hides, or by way of an op, or a net that is not known so well."""
    values = graph.training.values.values()
    outputs = {mask.name} | {v.name for v in values if v.kind == "port" and v.inputs[0][1] == mask.name}
    return any(
        _hides(graph.boxes[value.box], port)
        for value in values
        if value.kind == "call" and value.box
        for port, source in value.inputs
        if source in outputs
    )


def _hides(box: Box, port: str) -> bool:
    if box.section in ("nets", "targets"):
        return port in box.traits.hides or (":" in box.use and not box.traits.hides)
    return box.section in ("ops", "wiring")


def _has_teacher(graph: Graph, inputs: dict[str, str]) -> bool:
    """Whether a net that a loss doesn't train makes an input: its features of a seen place are no copy of the image."""
    parts = [part for source in inputs.values() for part in parts_upstream(graph, source)]
    return any(isinstance(part, TargetBox) or (isinstance(part, NetBox) and part.spec.is_frozen) for part in parts)


def _told(graph: Graph, name: str) -> tuple[str, float, float] | None:
    """The mask whose truth values a value is made of, and what it is where they are true, and where not; None of
    anything else.
    """
    value, box = graph.training.values[name], box_of(graph, name)
    if value.kind == "port" and (maker := box_of(graph, value.inputs[0][1])) and _is_mask(maker):
        port = next(port for port in maker.signature.outputs if port.name == value.port)
        return (value.inputs[0][1], 1.0, 0.0) if port.kind == "truth values" else None
    if not box or not box.traits.factor or len(value.inputs) != 1:
        return None
    told, factor = _told(graph, value.inputs[0][1]), setting(box, box.traits.factor)
    shift = setting(box, "shift") if "shift" in box.signature.settings else 0.0
    if told is None or not isinstance(factor, int | float) or not isinstance(shift, int | float):
        return None
    return told[0], factor * told[1] + shift, factor * told[2] + shift
