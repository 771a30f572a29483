"""Explains monitors in words: which edge collapsed, what a loss's value means, and which remedies papers give."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sslgraph.compile.compile import CompiledMethod
from sslgraph.lint import lint
from sslgraph.lint.queries import calls, nets, setting
from sslgraph.schedules import Clock
from sslgraph.settle.edges import Edge
from sslgraph.traits import Trouble
from sslgraph.wire.graph import Graph

from .vitals import ROWS

Look = Mapping[str, float]  # "monitor/f.x1/std" and the like
DEAD = 0.05  # of a std of 1: rows of unit length are one vector, give or take 5 % of their length
ONE_DIRECTION = 1.5  # effective rank
ALIKE = 0.98  # mean cosine of what a loss compares
# Effective rank, in directions and over the most it could be. Healthy demo runs come down to 6 %, cosines up to 0.77;
# Barlow Twins without redundancy goes to 2 directions, BYOL without predictor to 4 % with a mean cosine of 0.92.
SPARSE, THIN, NARROW, CROWDED = 2.5, 0.03, 0.05, 0.85
UNIFORM = 0.99  # entropy over the most it could be
BLUNT = 0.9  # the same of a teacher: DINO's demo has 0.1 to 0.2, as sharp as its student 0.95 and rising
# Prototypes in use, and over those that a batch could use: DINO's demo comes down to 4.5 %, without a centre to 1.1 %.
FEW, FEW_OF_ALL = 2.5, 0.02
FLAT = 0.11  # spread of similarities over the temperature: at 10, cosines can't reach it
LINT = ("SG101", "SG102", "SG103", "SG104")
# What the papers advise where no part has better advice.
GENERAL: dict[Trouble, str] = {
    "collapse": "lower the learning rate, and keep BatchNorm in projector and predictor "
    "(arXiv:2011.10566, sections 4.3, 4.4)",
    "few directions": "few directions are used; a deeper or wider projector, weaker weight decay or stronger "
    "augmentation keeps more (arXiv:2110.09348; arXiv:2210.02885)",
}
# What a loss says of itself, when that is bad beside the most prototypes in use, in words, and what to do.
SIGNS: tuple[tuple[str, Callable[[float, int], bool], str, str], ...] = (
    (
        "prototypes_used", lambda used, most: used < max(FEW, FEW_OF_ALL * most),
        "{value:.1f} prototypes of {most} take all images",
        "centre the teacher (center: center.read), move its centre faster, or balance the codes "
        "(arXiv:2104.14294, section 5.3)",
    ),
    (
        "teacher_entropy", lambda entropy, _: entropy > BLUNT,
        "the teacher's output is uniform (entropy {value:.2f} of the highest)",
        "raise the gap of the temperatures (0.04 to 0.07 against 0.1) or lower the centre's momentum "
        "(arXiv:2104.14294, section 5.3)",
    ),
    (
        "prediction_entropy", lambda entropy, _: entropy > UNIFORM, "every prediction is uniform over the prototypes",
        "lower its temperature (0.1) or epsilon (0.05), or freeze the prototypes longer (arXiv:2006.09882)",
    ),
    (
        "choice_spread", lambda spread, _: spread < FLAT,
        "similarities over the temperature{temperature} are all alike, so nothing is told apart",
        "lower the temperature: 0.05 to 0.5 are published (arXiv:2002.05709, table 5)",
    ),
)  # fmt: skip
AT = 0.01  # relative distance within which a loss is at a landmark


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a run: the edge or the loss, what it shows, and what to do."""

    place: str
    says: str
    cure: str

    def __str__(self) -> str:
        return f"{self.place}: {self.says}\n  {self.cure}"


def diagnose(
    method: CompiledMethod, looks: Sequence[Look], losses: Mapping[str, float], step: int, clock: Clock, *,
    before: Sequence[Mapping[str, float]] = (),
) -> tuple[Finding, ...]:  # fmt: skip
    """What holds in all of these looks (the latest ones) and of these losses, which come as weighted by the method.

    `before` are losses of some steps ago. A loss that is at chance has been there before: a head that is made anew
    each epoch (DeepCluster) begins there, and a batch may lie there by chance. In the first half of a run it may yet
    leave it: RotNet stays there for a fourth.
    """
    if not looks:
        return ()
    plain = _unweighted(method, losses, step, clock)
    found = [*_dead(method, looks, plain)] or [*_thin(method, looks)]
    found += _scores(method, looks, plain)
    named = {finding.place for finding in found}
    if named or step < clock.total_steps / 2:
        return tuple(found)
    return (*found, *_at_chance(method, plain, [_unweighted(method, b, step, clock) for b in before]))


def _dead(method: CompiledMethod, looks: Sequence[Look], losses: Mapping[str, float]) -> Iterator[Finding]:
    """The first edge along the flow at which all images are one."""
    before = None
    for edge in _embeddings(method):
        is_compared = edge.net not in method.graph.exported
        if all(_is_dead(edge, look, is_compared=is_compared) for look in looks):
            std, cosine, rank = (looks[-1][f"monitor/{edge.name}/{name}"] for name in ("std", "cosine", "rank"))
            where = f"; {before.name} before it still tells them apart" if before else ""
            says = (
                f"all images give nearly one vector (std {std:.3f} where 1 is uniform, mean cosine {cosine:.3f}, "
                f"rank {rank:.1f} of {_most(edge)}): collapse{where}"
            )
            at = [
                _value(method, name, value)
                for name, value in losses.items()
                if _is_at(method, name, value, "collapsed")
            ]
            yield Finding(edge.name, "; ".join([says, *at]), remedy(method.graph, "collapse"))
            return
        before = edge


def _thin(method: CompiledMethod, looks: Sequence[Look]) -> Iterator[Finding]:
    """The first edge whose rows fill two directions or hardly any of their many, where the one before has more."""
    before = None
    predictors = _predictors(method.graph)  # they may well be flat: what a target says of a view is little
    for edge in (edge for edge in _embeddings(method) if edge.net not in predictors):
        name = f"monitor/{edge.name}/rank"
        if edge.width >= 32 and all(_is_thin(edge, look) for look in looks):
            start = f"{before.name} {looks[-1][f'monitor/{before.name}/rank']:.0f}/{_most(before)}, " if before else ""
            says = f"{start}{edge.name} {looks[-1][name]:.0f}/{_most(edge)}: the rank dies in '{edge.net}'"
            yield Finding(edge.name, says, remedy(method.graph, "few directions"))
            return
        before = edge


def _scores(method: CompiledMethod, looks: Sequence[Look], losses: Mapping[str, float]) -> Iterator[Finding]:
    """Losses that say of themselves that all choices are alike, or that one prototype takes all."""
    most = _choices(method)
    for loss in losses:
        for name, is_bad, says, cure in SIGNS:
            values = [look.get(f"monitor/{loss}/{name}") for look in looks]
            if all(value is not None and is_bad(value, most) for value in values):
                temperature = _temperature(method.graph, loss)
                told = says.format(value=values[-1], most=most, temperature=temperature)
                yield Finding(loss, f"{_value(method, loss, losses[loss])}: {told}", cure)
                break


def _at_chance(
    method: CompiledMethod, losses: Mapping[str, float], before: Sequence[Mapping[str, float]]
) -> Iterator[Finding]:
    if len(method.players) > 1:
        return  # a judge that can't decide is where an adversarial game should end
    for name, value in losses.items():
        if all(_is_at(method, name, values[name], "chance") for values in (losses, *before) if name in values):
            says = f"{_value(method, name, value)}: no better than chance"
            yield Finding(
                name, says, "raise the learning rate, train longer, or look at the views: is there anything to tell?"
            )


def remedy(graph: Graph, trouble: Trouble) -> str:
    """What the linter knows of this method, else what one of its parts advises, else what the papers do."""
    known = {finding.number: finding for finding in reversed(lint(graph)) if finding.number in LINT}
    if known:
        first = known[min(known)]
        return f"{first.message}; {first.cure} ({first.source})"
    own = (box.traits.remedies[trouble] for _, box in calls(graph) if trouble in box.traits.remedies)
    return next(own, GENERAL[trouble])


def _embeddings(method: CompiledMethod) -> list[Edge]:
    """Edges of trained nets whose rows should differ: the encoder, and what is compared with what a net gives.

    Rows of one number have no direction that could be one for all.
    """
    graph, passed = method.graph, nets(method.graph)
    wanted = {graph.boxes[encoder].net for encoder in graph.exported}
    for loss in graph.training.losses:
        inputs = graph.boxes[loss.name].signature.inputs if loss.box else {}
        sides = [passed[source] for _, source in loss.inputs if passed[source]]
        if len(sides) > 1 or any(inputs[port].is_bag for port, _ in loss.inputs if port in inputs):
            wanted |= frozenset().union(*sides)
    return [edge for edge in method.watch.edges if edge.net in wanted and not edge.is_scores and edge.width > 1]


def _predictors(graph: Graph) -> frozenset[str]:
    """Nets on one side of an agreement only."""
    found, passed = frozenset[str](), nets(graph)
    for loss in graph.training.losses:
        sides = [passed[source] for _, source in loss.inputs if passed[source]]
        if len(sides) > 1:
            found |= frozenset().union(*sides) - frozenset.intersection(*sides)
    return found


def _is_dead(edge: Edge, look: Look, *, is_compared: bool) -> bool:
    std, cosine, rank = (look[f"monitor/{edge.name}/{name}"] for name in ("std", "cosine", "rank"))
    return std < DEAD or (_most(edge) >= 8 and rank < ONE_DIRECTION) or (is_compared and cosine > ALIKE)


def _is_thin(edge: Edge, look: Look) -> bool:
    cosine, rank = look[f"monitor/{edge.name}/cosine"], look[f"monitor/{edge.name}/rank"]
    return rank < max(SPARSE, THIN * _most(edge)) or (cosine > CROWDED and rank < NARROW * _most(edge))


def _most(edge: Edge) -> int:
    """The largest rank that the rows looked at could have (a small batch has fewer rows)."""
    return min(edge.width, edge.rows, ROWS)


def _choices(method: CompiledMethod) -> int:
    """The most prototypes that the rows of a batch could use."""
    return max((min(edge.width, edge.rows) for edge in method.watch.edges if edge.is_scores), default=0)


def _temperature(graph: Graph, loss: str) -> str:
    box = graph.boxes[loss]
    return f" ({setting(box, 'temperature')})" if "temperature" in box.signature.settings else ""


def _unweighted(method: CompiledMethod, losses: Mapping[str, float], step: int, clock: Clock) -> dict[str, float]:
    weights = {name: weight.at(step, clock) for name, weight in method.weights.items()}
    return {name: value / weights[name] for name, value in losses.items() if weights.get(name)}


def _is_at(method: CompiledMethod, loss: str, value: float, landmark: str) -> bool:
    known = method.landmarks.get(loss, {})
    if landmark not in known:
        return False
    return abs(value - known[landmark]) <= AT * max(abs(known[landmark]), abs(known.get("chance", 0.0)))


def _value(method: CompiledMethod, loss: str, value: float) -> str:
    """loss dino 8.3177 = ln 4096, where it is at a landmark that is the log of a whole number."""
    said = f"loss {loss} {value:.4f}"
    for name, mark in method.landmarks.get(loss, {}).items():
        count = round(math.exp(min(mark, 20.0)))
        if count > 2 and _is_at(method, loss, value, name) and abs(mark - math.log(count)) < 1e-6:
            return f"{said} = ln {count}"
    return said
