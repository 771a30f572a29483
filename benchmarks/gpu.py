"""python -m benchmarks.gpu: what one GPU does, in one run; on a machine without one it says so and does nothing.

CIFAR-10-sized SimCLR beside a hand-written loop (and lightly's, where it is installed), ResNet-50 and ViT-S/16 steps
beside the roofline (their operations over 800 TFLOP/s in bfloat16), and the views alone. Nothing here has been run on a
GPU yet, and no figure is claimed.
"""

from __future__ import annotations

import importlib.util
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch

from sslgraph.parts import registry
from sslgraph.pipelines.check import check
from sslgraph.pipelines.machine import machine
from sslgraph.pipelines.plan.rehearsal import rehearse
from sslgraph.pipelines.train.loop import one_step
from sslgraph.pipelines.train.prepare import prepare
from sslgraph.read.load import load_augmentation
from sslgraph.settle.views import ViewProgram

from . import hand_written
from .turns import Work
from .views import LISTS, photos

ROOFLINE = 800e12
Step = tuple[str, str, int, bool]
QUIET: dict[str, Any] = {"data": {"use": "sources.shapes", "images": 8192}, "evaluate": {}, "checkpoint": {}}
PAPER = """recipe: {method} at its paper's size
method: {method}
data: {{use: sources.shapes, images: 1024, size: 256}}
steps: 1000
batch: {batch}
optimizer: {{use: adamw, lr: 1e-4, weight_decay: 0.04}}
"""
# Title, the method, images a step, and whether it is handed to torch.compile; at 32 px the recipe for CIFAR-10.
STEPS: list[Step] = [
    ("SimCLR, ResNet-18, 32 px", "cifar10/simclr", 512, False),
    ("SimCLR, ResNet-18, 32 px, compiled", "cifar10/simclr", 512, True),
    ("SimCLR, ResNet-50, 2 x 224 px", "simclr", 128, False),
    ("SimCLR, ResNet-50, 2 x 224 px, compiled", "simclr", 128, True),
    ("DINO, ViT-S/16, 2 x 224 + 8 x 96 px", "dino", 64, False),
    ("DINO, ViT-S/16, 2 x 224 + 8 x 96 px, compiled", "dino", 64, True),
]


def main() -> None:
    """Every measurement, one line each; what can't be built on this machine is named and left out."""
    if not torch.cuda.is_available():
        print("benchmarks.gpu: there is no CUDA device here; nothing was measured")
        return
    device = machine.device()
    machine.use()
    name, memory = torch.cuda.get_device_name(device), torch.cuda.mem_get_info(device)[1] / 2**30
    print(f"{name}, {memory:.0f} GiB, torch {torch.__version__}")
    for line in measured(device):
        print(line, flush=True)


def measured(
    device: torch.device, *, steps: Iterable[Step] = STEPS, kinds: Iterable[bool] = (False, True), batch: int = 512,
    times: int = 5,
) -> Iterator[str]:  # fmt: skip
    """What was measured on a device, line by line: views (compiled or not), steps, other people's steps, reading."""
    for title, (size, count, views) in LISTS.items():
        found = {view.augment: load_augmentation(view.augment).spec for view in views.values()}
        images, index = photos(count, *size).to(device), torch.arange(count)
        for compiled in kinds:
            program = ViewProgram.build(views, found, compiled=compiled)
            make = partial(program, images, index, seed=0, epoch=0, device=device, channels_last=True)
            yield f"views, {title}{', compiled' if compiled else ''}: {count / seconds(make, times):,.0f} images/s"
    for title, method, images_a_step, compiled in steps:
        with step_of(method, images_a_step, compiled=compiled) as (work, flops):
            took = seconds(work, times)
        share = flops / took / ROOFLINE
        yield f"{title}: {images_a_step / took:,.0f} images/s, {took * 1e3:.1f} ms a step, {share:.1%} of 800 TFLOP/s"
    took = seconds(hand_written.simclr(batch, device), times)
    yield f"SimCLR, ResNet-18, 32 px, batch {batch}, hand-written loop: {batch / took:,.0f} images/s"
    if importlib.util.find_spec("lightly") is None:
        yield "lightly is not installed here: python -m benchmarks.run --peers makes an environment with it"
    else:
        from . import lightly_steps

        took = seconds(lightly_steps.simclr(batch, device, workers=machine.cores()), times)
        yield f"SimCLR, ResNet-18, 32 px, batch {batch}, lightly as documented: {batch / took:,.0f} images/s"
    yield resident(device)


@contextmanager
def step_of(method: str, batch: int, *, compiled: bool) -> Iterator[tuple[Work, float]]:
    """A training step and its operations."""
    folder = Path(tempfile.mkdtemp(prefix="sslgraph-gpu-"))
    recipe, overrides = method, {"batch": batch, "compile": compiled}
    if "/" in method:
        overrides |= QUIET
    else:
        (folder / "recipe.yaml").write_text(PAPER.format(method=method, batch=batch))
        recipe = str(folder / "recipe.yaml")
    run = prepare({"recipe": recipe, "overrides": overrides, "out": str(folder / "run")})
    run.record.tensorboard = False
    run.record.begin(0)
    steps, batches = iter(range(1000)), run.feed.batches(0, 1000)
    loaded, _ = check.load(recipe, overrides)
    flops = rehearse(loaded, images=8).flops / 8 * batch
    try:
        yield (lambda: one_step(run, next(batches), next(steps))), flops
    finally:
        run.record.abandon()


def seconds(work: Work, times: int = 5) -> float:
    """Seconds of one piece of work, the device waited for: the median of rounds, after as many untimed."""
    for _ in range(times):
        work()
    found = []
    for _ in range(times):
        _wait()
        start = time.perf_counter()
        for _ in range(times):
            work()
        _wait()
        found.append((time.perf_counter() - start) / times)
    return statistics.median(found)


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def resident(device: torch.device) -> str:
    """Whether a small data set lives on the device, and how fast it is read from there."""
    from sslgraph.pipelines.feed.feed import reader

    source = registry.build("sources.shapes", {"images": 8192})
    read = reader(source, device)
    wanted = torch.randperm(8192)[:1024]
    images, _ = read(wanted)
    assert isinstance(images, torch.Tensor)
    place = "on the device" if images.device == device else "on the host"
    return f"8192 images of 32 px lie {place}: {1024 / seconds(lambda: read(wanted)):,.0f} images/s read"


if __name__ == "__main__":
    sys.exit(main())
