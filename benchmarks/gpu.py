"""python -m benchmarks.gpu --minutes 12 --out DIR [--data CIFAR10]: what one GPU does, in one run of a given length.

Four phases in order of worth, each within its share of the time: tests, CIFAR-10 steps beside a hand-written loop (and
lightly's, if it is installed), steps at 224 px beside the best product and the floor (floor.py), and whole trainings
with nearest neighbours. After each measurement DIR/results.json is written, after each phase DIR/table.md, so that a
cut loses little. It needs torch, torchvision, timm, pydantic, networkx, pyyaml, jaxtyping, numpy, pyarrow,
scikit-learn, rich, typer, and no network. Without a GPU it says so, unless --toy asks for the smallest sizes, whose
figures mean nothing.
"""

from __future__ import annotations

import argparse
import json
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from sslgraph.files import whole_file
from sslgraph.pipelines.machine import machine

from . import gpu_work
from .gpu_work import REAL, TOY, Found, Size

SPARE_S = 5.0  # of a phase's time: what is left over goes to the next one
LEAST_S = 20.0  # a phase with less time is left out
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Phase:
    """A part of the run: `share` of the whole time is its own, and what earlier ones leave over."""

    title: str
    share: float
    work: Callable[[Size, torch.device, float], Iterator[Found]]  # the last: seconds that it has


class TimeIsUpError(Exception):
    """A phase has had its time."""


def main(words: Sequence[str] | None = None) -> None:
    """Runs the phases and says where the results lie."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--minutes", type=float, default=12.0, help="the whole run's length")
    options.add_argument("--out", type=Path, default=Path("gpu-results"), help="folder of the results")
    options.add_argument("--data", default="", help="CIFAR-10 as parquet files; shapes of our own if left out")
    options.add_argument("--toy", action="store_true", help="the smallest sizes, on a processor, too")
    options.add_argument("--phases", default="abcd", help="which of the four to run")
    asked = options.parse_args(words)
    if not torch.cuda.is_available() and not asked.toy:
        print("benchmarks.gpu: there is no CUDA device here; nothing was measured")
        return
    machine.use()
    size = TOY if asked.toy else REAL
    data = {"use": "sources.shapes", "images": size.images}
    if asked.data:
        data = {"use": "sources.parquet", "path": str(Path(asked.data).resolve())}

    def trainings(_: Size, __: torch.device, seconds: float) -> Iterator[Found]:
        return gpu_work.trainings(size, seconds, data=data, out=asked.out)

    phases = {
        "a": Phase("tests", 0.12, tests),
        "b": Phase("32 px", 0.20, gpu_work.small_images),
        "c": Phase("224 px", 0.25, gpu_work.large_images),
        "d": Phase("training", 0.43, trainings),
    }
    run([phases[letter] for letter in asked.phases], size, machine.device(), asked.minutes * 60, asked.out)


def run(phases: Sequence[Phase], size: Size, device: torch.device, seconds: float, out: Path) -> list[Found]:
    """All phases within so many seconds; what fails or is cut off stands in the results as that."""
    out.mkdir(parents=True, exist_ok=True)
    found: list[Found] = []
    end, shares = time.monotonic() + seconds, sum(phase.share for phase in phases)
    for phase in phases:
        left = end - time.monotonic()
        box = left * phase.share / shares - SPARE_S
        shares -= phase.share
        if box < min(LEAST_S, seconds / 10):
            found.append({"phase": phase.title, "name": "left out", "note": "no time was left"})
        else:
            try:
                with time_box(box):
                    for result in phase.work(size, device, box):
                        found.append({"phase": phase.title, **result})
                        keep(found, out, device)
            except TimeIsUpError:
                found.append({"phase": phase.title, "name": "cut off", "note": f"after {box:.0f} s"})
            except Exception as wrong:  # a phase that fails must not take the next ones with it
                found.append({"phase": phase.title, "name": "failed", "note": f"{type(wrong).__name__}: {wrong}"[:500]})
        keep(found, out, device)
        print(table([each for each in found if each["phase"] == phase.title]), flush=True)
    print(f"results: {out / 'results.json'}, {out / 'table.md'}")
    return found


@contextmanager
def time_box(seconds: float) -> Iterator[None]:
    """Raises TimeIsUpError within the block when its time is over."""

    def ring(*_: object) -> None:
        raise TimeIsUpError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def keep(found: list[Found], out: Path, device: torch.device) -> None:
    """Writes all results so far, whole or not at all."""
    is_gpu = device.type == "cuda"
    about: dict[str, Any] = {"device": torch.cuda.get_device_name(device) if is_gpu else "processor",
                             "torch": torch.__version__, "python": platform.python_version(),
                             "cuda": torch.version.cuda, "written": time.strftime("%Y-%m-%d %H:%M:%S")}  # fmt: skip
    whole_file.put(out / "results.json", f"{json.dumps({**about, 'results': found}, indent=1)}\n".encode())
    whole_file.put(out / "table.md", f"{about['device']}, torch {torch.__version__}\n\n{table(found)}\n".encode())


def table(found: list[Found]) -> str:
    """One row for each result: what, how much, beside what."""
    rows = ["| phase | what | images/s | ms a step | beside | note |", "|---|---|---|---|---|---|"]
    for each in found:
        rate, took, share = each.get("images_per_second"), each.get("ms"), each.get("share")
        cells = [each["phase"], each["name"], f"{rate:,.0f}" if rate else "", f"{took:.2f}" if took else "",
                 f"{share:.1%} of the product, {each['of_floor']:.1%} of the floor" if share is not None
                 else each.get("beside", ""),
                 str(each.get("note", "")).replace("\n", " ").replace("|", "/")[:200]]  # fmt: skip
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def tests(size: Size, _: torch.device, seconds: float) -> Iterator[Found]:
    """The tests of devices, as far as they come in this time."""
    marked = "gpu" if size is REAL else "gpu and not gpu"
    command = [sys.executable, "-m", "pytest", "-q", "--tb=short", "-rf", "-p", "no:cacheprovider", "-m", marked]
    command += size.tests
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=max(1.0, seconds - 2))
    except subprocess.TimeoutExpired as cut:
        said = (cut.stdout or b"").decode(errors="replace") if isinstance(cut.stdout, bytes) else str(cut.stdout or "")
        yield {"name": "pytest -m gpu", "note": f"cut off after {seconds:.0f} s: {said.strip()[-200:]}"}
        return
    lines = (done.stdout or done.stderr).strip().splitlines() or ["nothing was said"]
    failed = [line for line in lines if line.startswith("FAILED")]
    yield {"name": "pytest -m gpu", "note": "; ".join([lines[-1], *failed]), "passed": done.returncode == 0}
    if failed:
        print(*lines[-80:], sep="\n")


if __name__ == "__main__":
    main()
