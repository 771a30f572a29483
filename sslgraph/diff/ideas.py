"""The ideas of a method in a paper's words: momentum encoder, predictor, negative pairs, multi-crop.

An idea is found by what stands in the figure - roles, wiring, kinds of parts - never by a method's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from .figure import Figure
from .idea import FORWARDS, Carrier, Idea, Slot
from .phrases import of_value
from .repulsion import negatives, single_images


def ideas(figure: Figure) -> dict[str, Idea]:
    """The ideas of a method by name, in the order in which a reader asks for them."""
    found: dict[str, Idea] = {}
    for finder in FINDERS:
        for idea in finder(figure):
            found.setdefault(idea.name, idea)
    return found


def stops(figure: Figure) -> bool:
    """Whether the training has a side that no gradient reaches: a slow copy, a stop, or a part that lets none pass."""
    method = figure.method
    uses = [f"wiring.{name}" for name in figure.wiring] + [op.use for op in method.ops.values()]
    uses += [loss.use for loss in figure.training.losses.values()]
    return bool(method.targets) or any(figure.traits(use).detached for use in uses)


def _momentum(figure: Figure) -> Iterator[Idea]:
    targets, snapshots = figure.method.averages, figure.method.snapshots
    if targets:
        pairs = ", ".join(f"{name} of {target.ema_of}" for name, target in targets.items())
        momenta = dict.fromkeys(of_value(target.momentum) for target in targets.values())
        detail = f"{pairs}, momentum {' and '.join(momenta)}"
        yield Idea("momentum encoder", "", detail, _nodes("target", targets), article="a")
    if snapshots:
        pairs = ", ".join(f"{name} of {spec.snapshot_of}, {spec.when}" for name, spec in snapshots.items())
        yield Idea("snapshot", "", pairs, _nodes("target", snapshots), article="a")


def _nets(figure: Figure, role: str) -> list[str]:
    """The nets that are there for this."""
    return [net for net in figure.method.nets if figure.role(net) == role]


def _states(figure: Figure, role: str) -> list[str]:
    return [name for name, part in figure.method.state.items() if figure.traits(part.use).role == role]


def _nodes(kind: str, names: Iterable[str]) -> frozenset[Carrier]:
    return frozenset((kind, name) for name in names)


def _parts(figure: Figure) -> Iterator[Idea]:
    """Nets beside encoder and projector."""
    names = {"predictor": "predictor", "decoder": "decoder", "discriminator": "adversary"}
    for role, name in names.items():
        if nets := _nets(figure, role):
            nodes = _nodes("net", nets)
            if role == "discriminator":
                nodes |= _nodes("wiring", figure.stops) | _nodes("loss", figure.judged_by(nets))
            article = "an" if name[0] in "aeiou" else "a"
            slot: Slot = "asymmetry" if role == "predictor" else ""
            yield Idea(name, "", ", ".join(nets), nodes, slot, article, is_kinship=False)
    frozen = [name for name, net in figure.method.nets.items() if net.is_frozen]
    if frozen:
        yield Idea("frozen network", "", ", ".join(frozen), _nodes("net", frozen), article="a", is_kinship=False)


def _stop(figure: Figure) -> Iterator[Idea]:
    if figure.stops and not _nets(figure, "discriminator"):
        nodes = _nodes("wiring", figure.stops)
        yield Idea("stop-gradient", "", f"{figure.stops[0]} in the flow", nodes, article="a")


def _clustering(figure: Figure) -> Iterator[Idea]:
    method = figure.method
    codes = [name for name, op in method.ops.items() if figure.traits(op.use).role in ("codes", "clusters")]
    offline = [name for name in method.ops if name in figure.in_passes]
    if any(name in offline for name in codes):
        nodes = _nodes("op", offline) | _nodes("state", method.state) | _nodes("net", _nets(figure, "classifier"))
        nodes |= _nodes("phase", (leg.name for leg in figure.passes))
        collects = any(leg.phase and leg.phase.collect for leg in figure.passes)
        what = "clustering of all images" if collects else "clustering of past features"
        yield Idea(what, "", ", ".join(offline), nodes, "repulsion")
    elif codes:
        heads, queues = _nets(figure, "prototypes"), _states(figure, "queue")
        nodes = _nodes("net", heads) | _nodes("op", codes) | _nodes("state", queues)
        nodes |= _nodes("wiring", figure.beside(codes))
        yield Idea("online clustering", "", ", ".join([*heads, *codes, *queues]), nodes, "repulsion")


def _centring(figure: Figure) -> Iterator[Idea]:
    centres = _states(figure, "centre")
    losses = [(figure.traits(loss.use).agrees[1], loss.settings) for loss in figure.training.losses.values()]
    sharp = [f"{side} temperature {of_value(settings[f'{side}_temperature'])}" for side, settings in losses
             if f"{side}_temperature" in settings]  # fmt: skip
    detail = [*(f"running mean {name}" for name in centres), *sharp]
    name = " and ".join([*(["centring"] if centres else []), *(["sharpening"] if sharp else [])])
    if name:
        yield Idea(name, "", ", ".join(dict.fromkeys(detail)), _nodes("state", centres), "asymmetry")


def _terms(figure: Figure) -> Iterator[Idea]:
    """Losses and ops that hold features apart from each other rather than samples."""
    parts = [(loss.use, frozenset[Carrier]()) for loss in figure.training.losses.values()]
    parts += [(op.use, _nodes("op", [name])) for name, op in figure.method.ops.items()]
    for use, nodes in parts:
        if (traits := figure.traits(use)).repels == "features":
            yield Idea(traits.idea or "features held apart", "", use, nodes, "repulsion")


def _masking(figure: Figure) -> Iterator[Idea]:
    """Masks hide something from a net; masks that come from the geometry of two crops choose pairs of places."""
    for name, op in figure.method.ops.items():
        if figure.traits(op.use).role != "mask":
            continue
        settings = ", ".join(f"{key} {of_value(value)}" for key, value in op.settings.items() if key != "patch")
        detail = f"{name} ({_last_word(op.use)}{', ' + settings if settings else ''})"
        nodes = _nodes("op", [name]) | _nodes("wiring", figure.beside([name]))
        if any(node.name == name and _reads_boxes(figure, node.inputs) for node in figure.nodes):
            yield Idea("pairs of pixels", "", f"{detail}: what lies at one place of the image agrees", nodes)
        else:
            yield Idea("masking", _how_hidden(figure, name), detail, nodes)


def _how_hidden(figure: Figure, mask: str) -> str:
    """What an encoder gets in place of hidden patches."""
    ways = {"seen": "by leaving patches out", "hidden": "by mask tokens"}
    for node in figure.nodes:
        if node.kind == "nets" and figure.role(node.name) == "encoder":
            named = [figure.nodes[i] for i in node.inputs]  # an input given by name stands behind its name
            read = [figure.nodes[port.inputs[0]] if port.kind == "to" else port for port in named]
            for port in read:
                if port.kind == "port" and port.name in ways and figure.nodes[port.inputs[0]].name == mask:
                    return ways[port.name]
    return ""


def _own(figure: Figure) -> Iterator[Idea]:
    """What parts say of themselves that no other idea covers."""
    tasks = {node for idea in _pretext(figure) for node in idea.nodes}
    parts = [(op.use, ("op", name)) for name, op in figure.method.ops.items()]
    parts += [(f"wiring.{name}", ("wiring", name)) for name in figure.wiring]
    parts += [(loss.use, ("loss", name)) for name, loss in figure.training.losses.items()]
    for use, node in parts:
        if (traits := figure.traits(use)).idea and not traits.repels and node not in tasks:
            yield Idea(traits.idea, "", _last_word(use), frozenset({node}), is_kinship=False)


def _last_word(use: str) -> str:
    return re.split(r"[.:]", use)[-1]


def _reads_boxes(figure: Figure, inputs: tuple[int, ...]) -> bool:
    return any(figure.nodes[i].kind == "port" and figure.nodes[i].name == "box" for i in inputs)


def _pretext(figure: Figure) -> Iterator[Idea]:
    """Labels that an operation on the image brings along: turns, permutations of tiles."""
    ports = [node for node in figure.nodes if node.kind == "port" and node.name in ("label", "labels")]
    makers = {figure.nodes[port.inputs[0]].name for port in ports}
    for name, op in figure.method.ops.items():
        if name in makers and name not in figure.in_passes:  # what a pass over all images finds is no task
            nodes = _nodes("op", [name]) | _nodes("net", _nets(figure, "classifier"))
            yield Idea("pretext task", _last_word(op.use), name, nodes, article="a")


def _colours(figure: Figure) -> Iterator[Idea]:
    """Colours that a net is to tell from lightness."""
    if any(figure.traits(op.use).shows in ("Lab", "grey") for op in figure.method.ops.values()):
        yield Idea("colours from lightness", "", is_headline=False)


def _crops(figure: Figure) -> Iterator[Idea]:
    """How many views a step sees, and which of them one forward sees together."""
    seen = {figure.nodes[i].name for i in figure.seen if figure.nodes[i].kind == "view"}
    cut = {name for idea in _own(figure) for kind, name in idea.nodes if kind == "op"}
    views = [name for name in figure.views if name in seen and not figure.method.views[name].crop_of]
    views = [name for name in views if not _readers(figure, name) <= cut]
    counts = [figure.method.views[name].copies for name in views]
    nodes = _nodes("view", views) | _nodes("wiring", ["bag"])
    how = "one view"
    if sum(counts) > 2:
        large = [count for count in counts if count <= 2]  # many draws of one augmentation are the small crops
        shown = f"{sum(large)} + {sum(counts) - sum(large)}" if 0 < sum(large) < sum(counts) else str(sum(counts))
        yield Idea("multi-crop", "", f"{shown} crops", nodes, is_kinship=False)
        how = "all crops of one size together"
    elif sum(counts) == 2:
        how = "both views together" if max(counts) > 1 or _nets_take_bags(figure) else "each view by itself"
    yield Idea(FORWARDS, how, "", nodes, is_headline=False, is_kinship=False)


def _readers(figure: Figure, view: str) -> set[str]:
    """The names of what reads a view itself, not a port of it."""
    of = {i for i, node in enumerate(figure.nodes) if node.kind == "view" and node.name == view}
    return {node.name for node in figure.nodes if of & {*node.inputs} and node.kind != "port"}


def _nets_take_bags(figure: Figure) -> bool:
    """Whether a net works on several views at once; a bag behind all nets only joins what losses read."""
    inputs = [i for node in figure.nodes if node.kind in ("nets", "targets") for i in node.inputs]
    return any((figure.nodes[i].kind, figure.nodes[i].name) == ("wiring", "bag") for i in figure.behind(inputs))


# In the order in which a reader asks for them.
FINDERS = (
    _momentum, _parts, _stop, negatives, single_images, _clustering, _centring, _terms, _masking, _own, _pretext,
    _colours, _crops,
)  # fmt: skip
