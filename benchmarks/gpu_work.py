"""What benchmarks.gpu measures on one device: views, steps at two sizes of images, and whole trainings."""

from __future__ import annotations

import gc
import importlib.util
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch

from sslgraph.pipelines.check import check
from sslgraph.pipelines.machine import machine, probes
from sslgraph.pipelines.plan.rehearsal import rehearse
from sslgraph.pipelines.train.loop import loop, one_step
from sslgraph.pipelines.train.run import Run
from sslgraph.pipelines.train.start.prepare import prepare
from sslgraph.read.load import load_augmentation
from sslgraph.views.views import ViewProgram

from . import hand_written
from .floor import floor
from .turns import Work
from .views import LISTS, photos

Found = dict[str, Any]
Step = tuple[str, str, int]  # title, a recipe or (without /) a method at its paper's size, images a step
Compiled = bool | Literal["graphs"]  # as in a recipe
FORMS: dict[Compiled, str] = {False: "", True: ", compiled", "graphs": ", compiled to CUDA graphs"}
DRAWN: dict[str, Any] = {"use": "sources.shapes", "images": 8192}
QUIET: dict[str, Any] = {"evaluate": {}, "checkpoint": {}, "monitor": None}
PAPER = """recipe: {method} at its paper's size
method: {method}
data: {{use: sources.shapes, images: 1024, size: 256}}
steps: 1000
batch: {batch}
optimizer: {{use: adamw, lr: 1e-4, weight_decay: 0.04}}
"""
# lightly 1.5's table: kNN after 200 epochs, ResNet-18, batch 512; a one-file loop's linear probe after 1000.
CLAIMED = {
    "cifar10/simclr": "lightly 84.8 %; a one-file loop 91.4 % (linear, 1000 epochs)",
    "cifar10/byol": "lightly 86.8 %",
    "cifar10/barlow_twins": "lightly 84.2 %",
}
GOALS = {"small": "goal 20,000; a one-file loop on an A100 4,200, lightly on an A6000 1,900", "share": 0.4}


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    small: Step
    large: tuple[Step, ...]
    lists: tuple[str, ...]
    methods: tuple[str, ...]  # recipes of whole trainings, in order of worth
    most: int  # epochs of a training
    compiled: tuple[Compiled, ...]  # forms of the step
    times: int
    images: int = 8192  # of drawn data
    batch: int = 512  # of a training
    tests: tuple[str, ...] = ("tests/pipelines/machine/test_devices.py",)


REAL = Size(
    small=("SimCLR, ResNet-18, 32 px", "cifar10/simclr", 512),
    large=(("SimCLR, ResNet-50, 2 x 224 px", "simclr", 256), ("DINO, ViT-S/16, 2 x 224 + 8 x 96 px", "dino", 128)),
    lists=tuple(LISTS), methods=("cifar10/simclr", "cifar10/byol", "cifar10/barlow_twins"), most=200,
    compiled=(False, True, "graphs"),
    times=10,
)  # fmt: skip
TOY = Size(
    small=("SimCLR, small", "demo/simclr", 8), large=(("DINO, small", "demo/dino", 8),), lists=(next(iter(LISTS)),),
    methods=("demo/simclr", "demo/barlow_twins"), most=1, compiled=(False,), times=1,
    images=128, batch=16,
)  # fmt: skip


def small_images(size: Size, device: torch.device, _: float) -> Iterator[Found]:
    """Steps on images of CIFAR-10's size, other people's steps, and the views alone."""
    title, recipe, batch = size.small
    for compiled in size.compiled:
        yield step(title, recipe, batch, size.times, compiled=compiled) | {"beside": GOALS["small"]}
    took = seconds(hand_written.simclr(batch, device), size.times)
    yield {"name": f"{title}, hand-written loop", "images_per_second": batch / took, "ms": took * 1e3}
    if importlib.util.find_spec("lightly") is not None:
        from . import lightly_steps

        took = seconds(lightly_steps.simclr(batch, device, workers=machine.cores()), size.times)
        yield {"name": f"{title}, lightly as documented", "images_per_second": batch / took, "ms": took * 1e3}
    for name in size.lists:
        (height, width), count, views = LISTS[name]
        found = {view.augment: load_augmentation(view.augment).spec for view in views.values()}
        images, index = photos(count, height, width).to(device), torch.arange(count)
        program = ViewProgram.build(views, found)
        make = partial(program, images, index, seed=0, epoch=0, device=device, channels_last=True)
        took = seconds(make, size.times)
        yield {"name": f"views, {name}", "images_per_second": count / took, "ms": took * 1e3}


def large_images(size: Size, device: torch.device, _: float) -> Iterator[Found]:
    """The device's best product and copy, and steps of large nets as a fraction of the product."""
    short = "bfloat16" if device.type == "cuda" else "float32"
    peak = probes.product_rate(short, device)
    yield {"name": f"best product, {short}", "flops": peak, "note": f"{peak / 1e12:.1f} TFLOP/s: the roofline below"}
    copied = probes.memory_rate(device, 1 << 28 if device.type == "cuda" else 1 << 20)
    yield {"name": "copy", "bytes": copied, "note": f"{copied / 1e9:,.0f} GB/s"}
    for title, method, batch in size.large:
        least: float | None = None  # the floor of the step as it is written, for its compiled form too
        for compiled in size.compiled:
            found = step(title, method, batch, size.times, compiled=compiled, rates=(peak, copied), least=least)
            least = found.get("least_s", least)
            yield found


def step(
    title: str, method: str, batch: int, times: int, *, compiled: Compiled,
    rates: tuple[float, float] | None = None, least: float | None = None,
) -> Found:  # fmt: skip
    """A training step; what can't be built or run here is named, and the next one is tried.

    `rates` are the device's best product and copy a second; `least` the step's floor, if it is known.
    """
    name = f"{title}, batch {batch}{FORMS[compiled]}"
    try:
        with step_of(method, batch, compiled=compiled) as (work, flops):
            took = seconds(work, times)
            if rates and least is None:
                least = floor(work, *rates)
    except Exception as wrong:  # too little memory, no compiler: the other forms can still be measured
        return {"name": name, "note": f"failed: {type(wrong).__name__}: {wrong}"[:300]}
    finally:
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
    found = {"name": name, "images_per_second": batch / took, "ms": took * 1e3, "flops": flops / took}
    if rates and least is not None:
        found |= {"share": flops / took / rates[0], "goal": GOALS["share"], "least_s": least, "of_floor": least / took}
    return found


@contextmanager
def step_of(method: str, batch: int, *, compiled: Compiled) -> Iterator[tuple[Work, float]]:
    """A training step and its operations."""
    with tempfile.TemporaryDirectory(prefix="sslgraph-gpu-") as place:
        folder, overrides = Path(place), {**QUIET, "batch": batch, "compile": compiled}
        recipe = method
        if "/" in method:
            overrides["data"] = DRAWN
        else:
            recipe = str(folder / "recipe.yaml")
            Path(recipe).write_text(PAPER.format(method=method, batch=batch))
        run = prepare({"recipe": recipe, "overrides": overrides, "out": str(folder / "run")})
        loaded, _ = check.load(recipe, overrides)
        flops = rehearse(loaded, images=8).flops / 8 * batch
        run.record.tensorboard = False
        run.record.begin(0)
        try:
            yield stepping(run), flops
        finally:
            run.record.abandon()


def stepping(run: Run) -> Work:
    """One step of a run each time."""
    steps, batches = iter(range(1_000_000)), run.feed.batches(0, 1_000_000)
    return lambda: one_step(run, next(batches), next(steps))


def trainings(size: Size, seconds_left: float, *, data: dict[str, Any], out: Path) -> Iterator[Found]:
    """Whole trainings for as many epochs as fit, with nearest neighbours at the end; each has an equal share."""
    end = time.monotonic() + seconds_left
    for number, recipe in enumerate(size.methods):
        share = (end - time.monotonic()) / (len(size.methods) - number)
        given = {**QUIET, "data": data, "batch": size.batch, "epochs": size.most}
        with tempfile.TemporaryDirectory(prefix="sslgraph-gpu-") as folder:
            run = prepare({"recipe": recipe, "overrides": given, "out": folder})
            run.record.tensorboard = False
            run.record.begin(0)
            took = seconds(stepping(run), size.times)
            run.record.abandon()
        epochs = min(size.most, int(0.8 * share / took / run.clock.steps_per_epoch))
        length = {"epochs": epochs} if epochs else {"epochs": None, "steps": max(2, int(0.5 * share / took))}
        folder_out = str(out / f"run-{number}-{recipe.rpartition('/')[2]}")
        wish = {"knn": {"k": min(200, size.images // 4), "temperature": 0.1, "bank": 50_000, "queries": 10_000}}
        run = prepare({"recipe": recipe, "overrides": given | length | {"evaluate": wish}, "out": folder_out})
        run.record.tensorboard = False
        summary = loop(run)
        knn = summary["measures"]["knn"]
        yield {
            "name": f"{recipe}, {summary['steps']:,} steps ({epochs or 'less than 1'} epochs of {size.most})",
            "images_per_second": summary["images_per_second"] or size.batch / took,
            "knn": knn, "beside": CLAIMED.get(recipe, ""), "note": f"kNN {knn:.1%}",
            "batch": run.facts["batch"], "images": run.facts["images"], "forms": run.forms.record(),
        }  # fmt: skip


def seconds(work: Callable[[], object], times: int = 5) -> float:
    """Seconds of one piece of work, the device waited for: the median of three rounds, after as many untimed."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    for _ in range(times):
        work()

    def several() -> None:
        for _ in range(times):
            work()

    return statistics.median(probes.elapsed(several, device) / times for _ in range(3))
