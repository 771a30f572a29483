"""Rules about what a method keeps between steps: queues, slow copies, states."""

from __future__ import annotations

import math
from collections.abc import Iterator

from sslgraph.wire.graph import Graph, NetBox, TargetBox

from .queries import agreements, calls, half_life, momenta, parts_upstream, values
from .rule import Doubt, Facts, rule

FEWEST_STEPS = 50  # a copy whose half-life is shorter is hardly slow


@rule("SG001", "facebookresearch/moco#9")
def queue_longer_than_the_data(graph: Graph, facts: Facts) -> Iterator[Doubt]:
    """A queue is shorter than the data set."""
    apart = [value.name for value, loss in calls(graph) if loss.traits.repels == "samples"]
    queues = {box.name: box for loss in apart for box in parts_upstream(graph, loss) if box.traits.role == "queue"}
    for box in queues.values():
        size = int(max(values(box, "size"), default=0))
        if facts.images is not None and size > facts.images:
            yield Doubt(
                (*box.path, "size"),
                f"'{box.name}' keeps {size:,} keys of {facts.images:,} images: images meet their own older keys",
                f"make it shorter than the data set: --set state.{box.name}.size={_below(facts.images)}",
            )


def _below(images: int) -> int:
    """Half of them, as a power of two, which most batches divide."""
    return int(2 ** max(0, (images // 2).bit_length() - 1))


@rule("SG002", "facebookresearch/dino#246")
def copy_slower_than_the_run(graph: Graph, facts: Facts) -> Iterator[Doubt]:
    """A slow copy forgets its random start well before the run ends."""
    for box, momentum in momenta(graph):
        if facts.length and facts.length < half_life(momentum.first) < math.inf:
            yield Doubt(
                (*box.path, "momentum"),
                f"'{box.name}' is still half of its random start after {half_life(momentum.first):,.0f} steps, "
                f"and the run has {facts.length:,.0f}",
                f"{0.5 ** (10 / facts.length):.4g} would forget half of it in a tenth of the run",
            )


@rule("SG003", "arXiv:1911.05722, section 4.1, ablation of m")
def copy_hardly_slow(graph: Graph, facts: Facts) -> Iterator[Doubt]:
    """A slow copy is slow."""
    shortest = min(FEWEST_STEPS, (facts.length or math.inf) / 10)
    for box, momentum in momenta(graph):
        if half_life(momentum.first) < shortest:
            yield Doubt(
                (*box.path, "momentum"),
                f"'{box.name}' forgets half of itself in {half_life(momentum.first):.1f} steps, "
                f"so it is hardly another net than '{box.net}'",
                f"publications use 0.99 and more; {0.5 ** (1 / FEWEST_STEPS):.4g} halves in {FEWEST_STEPS} steps",
            )


@rule("SG004", "arXiv:1911.05722, section 3.3")
def keys_with_local_statistics(graph: Graph, facts: Facts) -> Iterator[Doubt]:
    """Keys whose BatchNorm sees one rank only are shuffled over the ranks."""
    for value, loss, _, key in agreements(graph) if facts.ranks != 1 else ():
        for name in graph.training.upstream(key) if loss.traits.repels == "samples" else ():
            target = graph.boxes.get(graph.training.values[name].box or "")
            net = graph.boxes[target.net] if isinstance(target, TargetBox) else None
            if target is None or not isinstance(net, NetBox):
                continue
            is_local = not net.spec.sync_norm
            if is_local and not any(box.traits.reorders == "away" for box in parts_upstream(graph, name)):
                yield Doubt(
                    value.path,
                    f"queries and keys of '{loss.name}' share the BatchNorm statistics of their rank, "
                    "which give the key away",
                    f"write unshuffle({target.name}(shuffle(...))), or sync_norm: true for '{net.name}'",
                )


@rule("SG005", "arXiv:1911.05722, section 3.3")
def shuffled_for_good(graph: Graph, _: Facts) -> Iterator[Doubt]:
    """Shuffled keys come back in the order of their queries."""
    for loss in graph.training.losses:
        for source in dict(loss.inputs).values():
            orders = [box.traits.reorders for box in parts_upstream(graph, source)]
            if orders.count("away") > orders.count("back"):
                yield Doubt(
                    loss.path,
                    f"'{source}' comes to '{loss.name}' in the order of the shuffle: each query meets another image's "
                    "key",
                    "bring it back: unshuffle(...)",
                )


@rule("SG006", "arXiv:2006.07733, section 3.2; arXiv:2104.14294, section 3")
def copy_that_never_rests(graph: Graph, _: Facts) -> Iterator[Doubt]:
    """A copy that outputs only have to agree with comes to rest at the end."""
    losses = [parts_upstream(graph, value.name) for value, loss, _, _ in agreements(graph) if not loss.traits.repels]
    # What is hidden from one side can't be met by an output that rests: data2vec's copy moves to the end.
    agreed_with = {box.name for parts in losses if all(box.traits.role != "mask" for box in parts) for box in parts}
    for box, momentum in momenta(graph):
        last = momentum.every_value[-1]
        if box.name in agreed_with and not momentum.is_constant and last < 1:
            yield Doubt(
                (*box.path, "momentum"),
                f"the momentum of '{box.name}' ends at {last:g}, so its last outputs still move",
                "the papers end at 1: {cosine: [0.996, 1.0]}",
            )


@rule("SG009", "arXiv:2508.10104, section 4.2")
def snapshot_never_taken(graph: Graph, facts: Facts) -> Iterator[Doubt]:
    """A snapshot is taken before the run ends."""
    for name, spec in graph.method.snapshots.items():
        when = spec.start or spec.every
        first = facts.steps_of(str(when))
        if facts.length and first is not None and first > facts.length:
            yield Doubt(
                ("targets", name),
                f"'{name}' is taken at {when} for the first time, after {first:,.0f} steps, and the run has "
                f"{facts.length:,.0f}: it stays '{spec.follows}' as it began",
                "say from: and every: in shares of the run, from: 50 %, or train for longer",
            )


@rule("SG007", "arXiv:1911.05722, Algorithm 1")
def state_never_written(graph: Graph, _: Facts) -> Iterator[Doubt]:
    """A state that is read is written."""
    written = {write.box for leg in graph.every_leg for write in leg.writes}
    for box in graph.boxes.values():
        if box.section == "state" and box.name not in written:
            method = next(iter(box.signature.writes), "write")
            yield Doubt(
                box.path,
                f"'{box.name}' is read and never written: it stays what it was at the start",
                f"write it after the step: {box.name}.{method}(...)",
            )


@rule("SG008", "arXiv:1911.05722, Algorithm 1")
def state_never_read(graph: Graph, _: Facts) -> Iterator[Doubt]:
    """A state that is written is read."""
    read = {value.box for leg in graph.every_leg for value in leg.values.values()}
    read |= {name for phase in graph.method.phases for name in (phase.sample or {}).values()}
    for box in graph.boxes.values():
        if box.section == "state" and box.name not in read:
            yield Doubt(
                box.path, f"'{box.name}' is written and never read", f"give {box.name}.read to a loss, or remove it"
            )
