"""Estimates what a run needs: arithmetic, memory, messages, hours, and how fast data must come."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sslgraph.collectives import Message
from sslgraph.errors import SslgraphError

from .rehearsal import POINTS, Rehearsal

# Bytes an optimizer remembers for each parameter, besides the parameter and its gradient.
REMEMBERED = {"adam": 8, "adamw": 8}
OF_AN_OWN_ONE = 8  # two numbers, which is the most that is usual
GIB = 2**30
USABLE = 0.9  # of a GPU's memory: the rest goes to the context, cuDNN's workspaces and fragments


@dataclass(frozen=True)
class Asked:
    """What the plan is for."""

    batch: int
    epochs: float
    images: int
    gpus: int
    memory: float  # bytes of each GPU
    tflops: float  # sustained by each GPU, 1e12 operations a second
    network: float = 50e9  # bytes a second that each GPU sends while it receives as many
    optimizer: str = "adamw"
    strategy: str = "ddp"
    steps: int | None = None  # where the recipe counts these and not epochs

    @property
    def local(self) -> int:
        """Images of a step on each GPU."""
        return self.batch // self.gpus


@dataclass(frozen=True)
class Plan:
    """The figures; the micro-batch is the largest that fits, or None if not even the smallest does."""

    asked: Asked
    trained: int
    followed: int
    flops: float  # an image, forward and backward
    fixed: float  # bytes of weights, gradients, optimizer, targets, state
    kept: float  # bytes an image that the forward pass keeps, at the micro-batch
    micro: int | None
    messages: tuple[tuple[str, int, float], ...]  # what, how often a step, bytes each rank sends

    @property
    def steps(self) -> int:
        """Optimizer steps of the whole run."""
        return self.asked.steps or int(self.asked.epochs * (self.asked.images // self.asked.batch))

    @property
    def rate(self) -> float:
        """Images a second of one GPU that computes all the time."""
        return self.asked.tflops * 1e12 / self.flops

    @property
    def hours(self) -> float:
        """Hours of arithmetic; messages that do not hide behind it are not in it."""
        return self.asked.batch * self.steps / (self.rate * self.asked.gpus) / 3600

    @property
    def sending(self) -> float:
        """Seconds a step that messages would take if nothing hid them."""
        return sum(bytes_ for _, _, bytes_ in self.messages) / self.asked.network


def planned(asked: Asked, points: list[Rehearsal]) -> Plan:
    """The plan from rehearsals of three micro-batches, through which memory and arithmetic are drawn as parabolas.

    Losses that compare all pairs grow with the square of the batch; everything else grows in proportion.
    """
    first = points[0]
    each = 4 + 4 + REMEMBERED.get(asked.optimizer, OF_AN_OWN_ONE if ":" in asked.optimizer else 4)
    trained, followed, gathered = first.trained, first.followed, 0
    if is_sharing := asked.strategy == "fsdp" and asked.gpus > 1:
        trained -= first.shared - -(-first.shared // asked.gpus)
        followed -= first.shared_targets - -(-first.shared_targets // asked.gpus)
        gathered = 2 * first.together  # a block and the one that is fetched ahead
    fixed = trained * each + followed * 4 + gathered * 4 + first.state
    kept = _through([(p.images, p.kept + p.views) for p in points])
    room = asked.memory * USABLE - fixed
    fitting = [m for m in _divisors(asked.local) if _at(kept, m) <= room]
    micro = max(fitting, default=None)
    here = micro or min(POINTS[0], asked.local)
    flops = _at(_through([(p.images, p.flops) for p in points]), here) / here
    sent = tuple(_messages(asked, points, here, is_sharing)) if asked.gpus > 1 else ()
    return Plan(asked, first.trained, first.followed, flops, fixed, _at(kept, here) / here, micro, sent)


def _messages(asked: Asked, points: list[Rehearsal], micro: int, is_sharing: bool) -> Iterator[tuple[str, int, float]]:
    """What is sent in a step by each rank: gradients once, or shared weights and the method's own with every piece."""
    first, times = points[0], asked.local // micro
    if is_sharing:
        share = 4 * times * (asked.gpus - 1) / asked.gpus
        yield "weights, all_gather", times, first.gathered * share
        yield "gradients, reduce_scatter", times, first.shared * share
    if whole := first.trained - (first.shared if is_sharing else 0):
        yield "gradients, all_reduce", 1, Message("all_reduce", whole * 4).traffic(asked.gpus)
    for kind in sorted({message.kind for message in points[-1].messages}):
        sent = [(p.images, sum(m.traffic(asked.gpus) for m in p.messages if m.kind == kind)) for p in points]
        often = sum(message.kind == kind for message in points[-1].messages)
        yield f"the method's own, {kind}", often * times, _at(_through(sent), micro) * times


def bytes_of(text: str) -> float:
    """`80GB`, `24 GiB` or a number of bytes."""
    found = re.fullmatch(r"\s*([\d.]+)\s*(GB|GiB|MB|MiB|B)?\s*", text)
    if found is None:
        raise SslgraphError(f"--memory {text} is no amount of memory; write for example 80GB or 24GiB")
    return float(found[1]) * {"GB": 1e9, "GiB": GIB, "MB": 1e6, "MiB": 2**20, "B": 1, None: 1}[found[2]]


def _divisors(count: int) -> list[int]:
    return [m for m in range(1, count + 1) if count % m == 0 and (m >= POINTS[0] or count < POINTS[0])]


def _through(points: list[tuple[int, float]]) -> tuple[float, float, float]:
    """c, b, a of the parabola a + b x + c x^2 through three points (Newton's divided differences)."""
    (x0, y0), (x1, y1), (x2, y2) = points
    slope = (y1 - y0) / (x1 - x0)
    bend = ((y2 - y1) / (x2 - x1) - slope) / (x2 - x0)
    return bend, slope - bend * (x0 + x1), y0 - slope * x0 + bend * x0 * x1


def _at(parabola: tuple[float, float, float], x: float) -> float:
    bend, slope, start = parabola
    return start + slope * x + bend * x * x
