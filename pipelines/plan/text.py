"""Prints a plan of a method or a recipe as a page of words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from sslgraph.amounts import counted
from sslgraph.errors import SslgraphError

from ..check import check
from ..machine import machine
from ..machine.calibration import Rates, calibrated
from ..machine.chosen_forms import chosen, expected, peak
from .plan import GIB, Asked, Plan, bytes_of, planned
from .rehearsal import POINTS, rehearse

IMAGENET = 1_281_167
STRATEGIES = ("ddp", "fsdp")
ASSUMED_TFLOPS = 100.0  # of 800 to 1000 dense: convolutions reach less, large transformers two or three times as much


def text(plan: Plan, *, name: str) -> str:
    """The plan as a page."""
    asked = plan.asked
    views = "forward and backward, all views, targets included"
    lines = [
        f"{name}: batch {asked.batch} on {counted(asked.gpus, 'GPU')}, {counted(asked.epochs, 'epoch')} of "
        f"{counted(asked.images, 'image')}, {counted(plan.steps, 'step')}",
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
        f"  loader         {plan.rate * asked.gpus:,.0f} images/s for all GPUs; sslgraph train --profile says how long "
        "a step waits here",
    ]
    return "\n".join(lines)


def _assumed(asked: Asked) -> str:
    return "; the rate is assumed: give yours with --tflops" if asked.tflops == ASSUMED_TFLOPS else ""


def _micro(plan: Plan) -> str:
    asked = plan.asked
    if plan.micro is None:
        return f"nothing fits in {asked.memory / GIB:.0f} GiB: weights and what belongs to them leave no room; " + (
            "more GPUs, or a smaller net" if asked.strategy == "fsdp" else "--strategy fsdp shares them out"
        )
    times = asked.local // plan.micro
    whole = "the whole local batch" if times == 1 else f"accumulate: {times}"
    return f"{plan.micro} images fit in {asked.memory / GIB:.0f} GiB (a tenth left free): {whole}"


def _number(value: float) -> str:
    """Three digits, and no power of ten."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _size(amount: float) -> str:
    exponent = min(3, int(math.log(max(amount, 1), 1000)))
    return f"{amount / 1000**exponent:.3g} {('B', 'kB', 'MB', 'GB')[exponent]}"


def page(
    name: str, given: Mapping[str, Any], *, plugins: tuple[str, ...] = (), overrides: Mapping[str, Any] | None = None
) -> str:
    """The plan of a method or a recipe as text; of `given`, what is None comes from the recipe."""
    loaded, recipe = check.load(name, overrides or {})
    plugins = check.allowed_in(recipe or loaded, plugins)
    asked = _asked(recipe.spec if recipe else None, given)
    if asked.batch % asked.gpus:
        raise SslgraphError(f"a batch of {asked.batch} can't be shared evenly by {asked.gpus} GPUs; change --batch")
    recomputed = tuple(given.get("recompute") or (recipe.spec.recompute if recipe else ()))
    points = [
        rehearse(
            loaded, images=m, ranks=asked.gpus, dataset=asked.images, plugins=plugins, recomputed=recomputed
        ) for m in POINTS
    ]  # fmt: skip
    plan = planned(asked, points)
    wish = recipe.spec.precision if recipe else "auto"
    machine.use()
    return f"{text(plan, name=name)}\n{processor_line(plan, calibrated(), wish=wish, convolves=points[0].convolves)}"


def processor_line(plan: Plan, rates: Rates, *, wish: str, convolves: bool) -> str:
    """What this machine's processor would need, by its calibration."""
    forms = chosen(rates, wish=wish, convolves=convolves)
    rate = expected(rates, forms, convolves=convolves)
    hours = plan.asked.batch * plan.steps * plan.flops / rate / 3600
    return (
        f"  this processor {_number(hours)} hours in {forms.precision} with {counted(forms.threads, 'thread')}, by its "
        f"calibration: {rate / 1e12:.3g} TFLOP/s for blocks like this net's ({_number(rate / plan.flops)} images/s), "
        f"{peak(rates, forms) / 1e12:.3g} for its best product"
    )


def _asked(recipe: Any, given: Mapping[str, Any]) -> Asked:
    """The command line's numbers, else the recipe's, else those of a common run."""
    own: dict[str, Any] = {
        "batch": 256,
        "epochs": 100,
        "images": IMAGENET,
        "tflops": ASSUMED_TFLOPS,
        "optimizer": "adamw",
        "strategy": "ddp",
    }
    if recipe is not None:
        own |= {"batch": recipe.batch, "optimizer": str(recipe.optimizer.get("use"))}
        own |= {"epochs": recipe.epochs or own["epochs"], "steps": None if given.get("epochs") else recipe.steps}
        own["strategy"] = recipe.strategy
    own |= {key: value for key, value in given.items() if value is not None and key != "recompute"}
    if own["strategy"] not in STRATEGIES:
        raise SslgraphError(f"--strategy {own['strategy']} is none; there are {', '.join(STRATEGIES)}")
    wrong = [key for key in ("gpus", "batch", "epochs", "images", "tflops") if own[key] <= 0]
    if wrong:
        raise SslgraphError(f"--{wrong[0]} {own[wrong[0]]} plans nothing; give a number above 0")
    if own.get("steps"):
        own["epochs"] = round(own["steps"] / max(1, own["images"] // own["batch"]), 1)
    return Asked(**{**own, "memory": bytes_of(str(own["memory"]))})
