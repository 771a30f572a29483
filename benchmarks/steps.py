"""A whole training step, views included: ours beside a hand-written loop and beside lightly's documented one."""

from __future__ import annotations

import importlib.util
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from sslgraph.checked import sized_graph, wired
from sslgraph.pipelines.check import check
from sslgraph.pipelines.machine.calibration import calibrated
from sslgraph.pipelines.machine.chosen_forms import fitting, peak
from sslgraph.pipelines.plan.rehearsal import rehearse
from sslgraph.pipelines.train.loop import one_step
from sslgraph.pipelines.train.start.prepare import prepare

from . import hand_written
from .turns import Timed, Work, in_turns

IMAGES = 1024
DRAWN = {"use": "sources.shapes", "images": IMAGES}
QUIET: dict[str, Any] = {"data": DRAWN, "evaluate": {}, "checkpoint": {}, "monitor": None, "batch": 128}
VIT = {
    "nets.enc.preset": "tiny",
    "nets.enc.patch": 4,
    "nets.dec.dim": 192,
    "nets.dec.depth": 1,
    "nets.dec.heads": 3,
}
# The method, its recipe, what the recipe is given, and images a step.
STEPS: dict[str, tuple[str, dict[str, Any], int]] = {
    "SimCLR, ResNet-18": ("cifar10/simclr", {}, 128),
    "BYOL, ResNet-18": ("cifar10/byol", {}, 64),
    "DINO, ResNet-18, 2 x 32 + 6 x 16": ("cifar10/dino", {"views.local_crops.copies": 6, "nets.hs.out": 2048}, 64),
    "MAE, ViT-tiny/4": ("cifar10/mae", VIT, 64),
}


def measure(*, rounds: int = 3, names: list[str] | None = None) -> list[Timed]:
    """Times one step of every method in every way there is; lightly's where it is installed."""
    found = []
    for name in names or list(STEPS):
        batch = STEPS[name][2]
        made = {way: make() for way, make in ways(name).items()}
        title = f"{name}, {batch} images a step, {torch.get_num_threads()} thread"
        found.append(in_turns(title, made, unit="step", units=1, rounds=rounds))
    return found


def ways(name: str) -> dict[str, Callable[[], Work]]:
    """How a step can be done, each made when it is asked for."""
    _, _, batch = STEPS[name]
    there: dict[str, Callable[[], Work]] = {"sslgraph": lambda: ours(name)}
    there["sslgraph, compile: true"] = lambda: ours(name, compiled=True)
    if name.startswith("SimCLR"):
        there["hand-written, same settings"] = lambda: hand_written.simclr(batch)
    if importlib.util.find_spec("lightly"):
        from . import lightly_steps

        there["lightly, as documented"] = lambda: lightly_steps.STEPS[name.split(",")[0]](batch)
    if importlib.util.find_spec("stable_pretraining") and name.startswith("SimCLR"):
        from . import stable_steps

        there["stable-pretraining, as documented"] = lambda: stable_steps.STEPS[name.split(",")[0]](batch)
    return there


def of_the_limit(name: str, timed: Timed) -> str:
    """The operations of our step over the machine's best product in the same precision and time."""
    recipe, changes, batch = STEPS[name]
    loaded, _ = check.load(recipe, {**QUIET, "batch": batch, **changes})
    flops = rehearse(loaded, images=8).flops / 8 * batch
    graph = sized_graph(wired(loaded), loaded, batch=batch)
    forms, seconds = (
        fitting("auto", graph.parts.values(), torch.device("cpu")),
        statistics.median(timed.seconds["sslgraph"]),
    )
    best = peak(calibrated(), replace(forms, threads=1))
    return (f"  {flops / 1e9:,.0f} GFLOP a step, {flops / seconds / 1e9:,.0f} GFLOP/s: {flops / seconds / best:.0%} of "
            f"this machine's best product in {forms.precision} ({best / 1e9:,.0f})")  # fmt: skip


def ours(name: str, *, compiled: bool = False) -> Work:
    """One step of the recipe, its views made in the same thread."""
    recipe, changes, batch = STEPS[name]
    return step_of(recipe, {**changes, "batch": batch, "compile": compiled})


def step_of(recipe: str, changes: dict[str, Any]) -> Work:
    """One step of a recipe with changes, without measures and checkpoints, its views made in the same thread."""
    folder = tempfile.mkdtemp(prefix="sslgraph-bench-")
    given = {**QUIET, **changes}
    run = prepare({"recipe": recipe, "overrides": given, "out": folder})
    run.record.tensorboard = False
    run.record.begin(0)
    run.feed.ahead = 0  # type: ignore[attr-defined]
    steps = iter(range(10_000))
    batches = run.feed.batches(0, 10_000)
    return lambda: one_step(run, next(batches), next(steps))


def peaks(name: str = "SimCLR, ResNet-18") -> dict[str, float]:
    """Peak memory of three steps in MiB, each way in a process of its own."""
    found = {}
    for way in (way for way in ways(name) if "compile" not in way):
        command = [sys.executable, "-m", "benchmarks.steps", name, way]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found[way] = float(done.stdout.split()[-1])
    return found


if __name__ == "__main__":
    from sslgraph.pipelines.machine import machine

    machine.use()
    work = ways(sys.argv[1])[sys.argv[2]]()
    for _ in range(3):
        work()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
