"""python -m benchmarks.growth [SERIES ...]: what a step costs against its sizes; `steady`: what a long run keeps.

Each point is a process of its own: processor time of one thread (median of five steps) and the greatest memory above
the start. The exponent of time is that of the last two points, where constants matter least.
"""

from __future__ import annotations

import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch

from sslgraph.pipelines.machine import machine

from .steps import step_of

STEPS = 5
CHAIN = """
method: A chain of {values} values
views: {{x: {{augment: simclr, copies: 2, size: 32}}}}
nets: {{f: {{use: backbones.resnet, depth: 18, width: 8, stem: cifar}}}}
flow:
  a0: f(x)
{links}
losses: {{contrast: {{use: losses.nt_xent, of: [a{last}], temperature: 0.5}}}}
export: f
"""


@dataclass(frozen=True)
class Series:
    """A size of a method and its values; `expected` is the exponent of an algorithm that knows this size alone."""

    title: str
    expected: str
    values: tuple[int, ...]
    recipe: str
    changes: Callable[[int], dict[str, Any]]


SERIES = {
    "batch": Series("images of a batch, SimCLR, ResNet-18", "1", (16, 32, 64, 128), "cifar10/simclr",
                    lambda n: {"batch": n}),
    "side": Series("side of the views, px, SimCLR, ResNet-18, batch 16", "2", (16, 32, 64, 128), "cifar10/simclr",
                   lambda n: {"batch": 16, "views.x.size": n}),
    "queue": Series("rows of MoCo's queue, batch 16", "at most 1", (4096, 16384, 65536, 262144), "cifar10/moco_v2",
                    lambda n: {"batch": 16, "nets.f.width": 16, "state.queue.size": n}),
    "prototypes": Series("SwAV's prototypes, batch 16", "at most 1", (512, 2048, 8192, 32768), "cifar10/swav",
                         lambda n: {"batch": 16, "nets.f.width": 16, "nets.c.out": n, "state.queue.size": 64}),
    "crops": Series("DINO's local crops of 16 px, batch 16", "1", (4, 8, 16, 32), "cifar10/dino",
                    lambda n: {"batch": 16, "nets.hs.out": 1024, "views.local_crops.copies": n}),
    "values": Series("values of a graph, a chain of l2, batch 16", "at most 1", (10, 30, 100, 290), "demo/base",
                     lambda n: {"batch": 16, "method": chain(n)}),
}  # fmt: skip


def main(names: list[str]) -> None:
    """Prints a table for each series."""
    print(f"torch {torch.__version__}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for name in names or [*SERIES, "steady"]:
        if name == "steady":
            steady()
            continue
        series = SERIES[name]
        points = [point(name, value) for value in series.values]
        print(f"{series.title}: " + ", ".join(f"{value:,}" for value in series.values))
        print("  a step     " + ", ".join(f"{1e3 * seconds:,.0f} ms" for seconds, _ in points))
        print("  memory     " + ", ".join(f"{mebibytes:,.0f} MiB" for _, mebibytes in points))
        print(f"  exponent   {exponent(series.values, [seconds for seconds, _ in points]):.2f} "
              f"(of the algorithm: {series.expected})", flush=True)  # fmt: skip


def exponent(values: tuple[int, ...], costs: list[float]) -> float:
    """The slope of the last two points when both axes are logarithms."""
    return math.log(costs[-1] / costs[-2]) / math.log(values[-1] / values[-2])


def point(name: str, value: int) -> tuple[float, float]:
    """Seconds a step and the peak memory above the start in MiB, measured in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.growth", "point", name, str(value)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, mebibytes = done.stdout.split()[-2:]
    return float(seconds), float(mebibytes)


def measured(name: str, value: int) -> tuple[float, float]:
    """The same, in this process."""
    torch.set_num_threads(1)
    machine.use()
    series = SERIES[name]
    start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    work = step_of(series.recipe, series.changes(value))
    work()
    times = []
    for _ in range(STEPS):
        begun = time.process_time()
        work()
        times.append(time.process_time() - begun)
    return statistics.median(times), (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start) / 1024


def chain(values: int) -> str:
    """A file with a method of that many values: a net, and l2 of the value before, again and again."""
    links = "\n".join(f"  a{number}: l2(a{number - 1})" for number in range(1, values))
    path = Path(tempfile.mkdtemp(prefix="sslgraph-bench-")) / "chain.yaml"
    path.write_text(CHAIN.format(values=values, links=links, last=values - 1).lstrip())
    return str(path)


def steady(steps: int = 3000, every: int = 500) -> None:
    """Prints resident memory, threads and open files of a process along a run of MoCo v2 with a small net."""
    changes = {"batch": 8, "nets.f.width": 8, "views.*.size": 16, "state.queue.size": 4096}
    work = step_of("cifar10/moco_v2", changes)
    process = psutil.Process()
    print(f"MoCo v2 with a small net, {steps:,} steps: resident MiB, threads, open files")
    for number in range(1, steps + 1):
        work()
        if number == 100 or number % every == 0:
            resident = process.memory_info().rss / 2**20
            print(f"  step {number:>5,}: {resident:,.0f} MiB, {process.num_threads()}, {process.num_fds()}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["point"]:
        print(*measured(sys.argv[2], int(sys.argv[3])))
    else:
        main(sys.argv[1:])
