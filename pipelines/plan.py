"""What a run will need before any GPU is rented: arithmetic, memory, messages, hours, and how fast data must come."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sslgraph.collectives import Message
from sslgraph.errors import SslgraphError

from . import check
from .rehearsal import POINTS, Rehearsal, rehearse

GIB = 2**30
# Bytes an optimizer remembers for each parameter, besides the parameter and its gradient.
REMEMBERED = {"adam": 8, "adamw": 8}
USABLE = 0.9  # of a GPU's memory: the rest goes to the context, cuDNN's workspaces and fragments
IMAGENET = 1_281_167
ASSUMED_TFLOPS = 100.0  # of 800 to 1000 dense: convolutions reach less, large transformers two or three times as much


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
        return int(self.asked.epochs * (self.asked.images // self.asked.batch))

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
    each = 4 + 4 + REMEMBERED.get(asked.optimizer, 4)
    fixed = first.trained * each + first.followed * 4 + first.state
    kept = _through([(p.images, p.kept + p.views) for p in points])
    room = asked.memory * USABLE - fixed
    fitting = [m for m in _divisors(asked.local) if _at(kept, m) <= room]
    micro = max(fitting, default=None)
    here = micro or min(POINTS[0], asked.local)
    flops = _at(_through([(p.images, p.flops) for p in points]), here) / here
    sent = tuple(_messages(asked, points, here)) if asked.gpus > 1 else ()
    return Plan(asked, first.trained, first.followed, flops, fixed, _at(kept, here) / here, micro, sent)


def _messages(asked: Asked, points: list[Rehearsal], micro: int) -> Iterator[tuple[str, int, float]]:
    """What is sent in a step by each rank: the gradients once, the method's own messages with every micro-batch."""
    yield "gradients, all_reduce", 1, Message("all_reduce", points[0].trained * 4).traffic(asked.gpus)
    for kind in sorted({message.kind for message in points[-1].messages}):
        sent = [(p.images, sum(m.traffic(asked.gpus) for m in p.messages if m.kind == kind)) for p in points]
        often = sum(message.kind == kind for message in points[-1].messages)
        times = asked.local // micro
        yield f"the method's own, {kind}", often * times, _at(_through(sent), micro) * times


def bytes_of(text: str) -> float:
    """`80GB`, `24 GiB` or a number of bytes."""
    found = re.fullmatch(r"\s*([\d.]+)\s*(GB|GiB|MB|MiB|B)?\s*", text)
    if found is None:
        raise SslgraphError(f"--memory {text} is no amount of memory; write for example 80GB or 24GiB")
    return float(found[1]) * {"GB": 1e9, "GiB": GIB, "MB": 1e6, "MiB": 2**20, "B": 1, None: 1}[found[2]]


def text(plan: Plan, *, name: str, loader: float | None = None) -> str:
    """The plan as a page; `loader` is how many images a second this machine's feed makes."""
    asked = plan.asked
    views = "forward and backward, all views, targets included"
    lines = [
        f"{name}: batch {asked.batch} on {asked.gpus} GPUs, {asked.epochs:g} epochs of {asked.images:,} images, "
        f"{plan.steps:,} steps",
        f"  parameters     {plan.trained:,} trained, {plan.followed:,} in targets and frozen nets",
        f"  arithmetic     {_number(plan.flops / 1e9)} GFLOP an image ({views})",
        f"  memory         {_number(plan.fixed / GIB)} GiB a GPU for weights, gradients, {asked.optimizer}, "
        f"targets, state; "
        f"{_number(plan.kept / 2**20)} MiB an image kept for the backward pass",
        f"  micro-batch    {_micro(plan)}",
    ]
    lines += [f"  messages       {what}: {often} a step, {_size(sent)} a GPU" for what, often, sent in plan.messages]
    if plan.messages:
        work = asked.local / plan.rate
        lines.append(
            f"                 {plan.sending * 1e3:.1f} ms at {asked.network / 1e9:g} GB/s each way if nothing hid "
            f"them; a step computes for {work * 1e3:.0f} ms"
        )
    lines += [
        f"  time           {_number(plan.hours)} hours, {_number(plan.hours * asked.gpus)} GPU-hours at "
        f"{asked.tflops:g} "
        f"TFLOP/s a GPU ({plan.rate:,.0f} images/s each){_assumed(asked)}",
        f"  loader         {plan.rate * asked.gpus:,.0f} images/s for all GPUs" + _beside(plan, loader),
    ]
    return "\n".join(lines)


def _assumed(asked: Asked) -> str:
    return "; the rate is assumed: give yours with --tflops" if asked.tflops == ASSUMED_TFLOPS else ""


def _micro(plan: Plan) -> str:
    asked = plan.asked
    if plan.micro is None:
        return (
            f"nothing fits in {asked.memory / GIB:.0f} GiB: weights and what belongs to them leave no room; "
            "shard them, or take a smaller net"
        )
    times = asked.local // plan.micro
    whole = "the whole local batch" if times == 1 else f"accumulate: {times}"
    return f"{plan.micro} images fit in {asked.memory / GIB:.0f} GiB (a tenth left free): {whole}"


def _beside(plan: Plan, loader: float | None) -> str:
    if loader is None:
        return "; how many this machine gives: --calibrate"
    need = plan.rate * plan.asked.gpus
    enough = "enough" if loader >= need else f"{need / loader:.0f} such machines' cores, or `sslgraph data --prepare`"
    return f"; this machine's feed makes {loader:,.0f}: {enough}"


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


def _number(value: float) -> str:
    """Three digits, and no power of ten."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _size(amount: float) -> str:
    exponent = min(3, int(math.log(max(amount, 1), 1000)))
    return f"{amount / 1000**exponent:.3g} {('B', 'kB', 'MB', 'GB')[exponent]}"


def page(
    name: str, given: Mapping[str, Any], *, calibrated: bool = False, plugins: tuple[str, ...] = (),
    overrides: Mapping[str, Any] | None = None,
) -> str:  # fmt: skip
    """The plan of a method or a recipe as text; of `given`, what is None comes from the recipe."""
    loaded, recipe = check.load(name, overrides or {})
    asked = _asked(recipe.recipe if recipe else None, given)
    if asked.batch % asked.gpus:
        raise SslgraphError(f"a batch of {asked.batch} can't be shared evenly by {asked.gpus} GPUs; change --batch")
    points = [rehearse(loaded, images=m, ranks=asked.gpus, dataset=asked.images, plugins=plugins) for m in POINTS]
    if not calibrated:
        return text(planned(asked, points), name=name)
    if recipe is None:
        raise SslgraphError(
            f"--calibrate trains a few steps, and {name} is a method; give a recipe, such as demo/{name}"
        )
    from .calibration import calibrate

    here = calibrate(name, overrides or {}, plugins)
    plan = planned(asked, points)
    rate = here.steps * plan.flops / 1e12
    measured = f"  this machine   {here.steps:,.1f} images/s, {rate:.3g} TFLOP/s ({here.device})"
    return f"{text(plan, name=name, loader=here.feed)}\n{measured}"


def _asked(recipe: Any, given: Mapping[str, Any]) -> Asked:
    """The command line's numbers, else the recipe's, else those of a common run."""
    own: dict[str, Any] = {
        "batch": 256,
        "epochs": 100,
        "images": IMAGENET,
        "tflops": ASSUMED_TFLOPS,
        "optimizer": "adamw",
    }
    if recipe is not None:
        own |= {"batch": recipe.batch, "optimizer": str(recipe.optimizer.get("use"))}
        own["epochs"] = recipe.epochs or own["epochs"]
    own |= {key: value for key, value in given.items() if value is not None}
    wrong = [key for key in ("gpus", "batch", "epochs", "images", "tflops") if own[key] <= 0]
    if wrong:
        raise SslgraphError(f"--{wrong[0]} {own[wrong[0]]} plans nothing; give a number above 0")
    return Asked(**{**own, "memory": bytes_of(str(own["memory"]))})
