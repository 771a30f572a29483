"""Kills runs at random moments and lets them go on: no step may be lost or done twice, no bit of the weights differ.

    python -m tests.soak --kills 100              processes, forked from one that has imported what they need
    python -m tests.soak --kills 12 --workers 2   under Ray Train: workers, which Ray replaces, or the whole driver

Each run is one of a few seeds; when it is done it is compared with a run of that seed that nobody disturbed. Ends with
exit code 1 at the first difference, and leaves the folders for a look.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import torch
import torch._dynamo  # torch.optim's first use asks for it
import torch.utils.tensorboard

from pipelines import cli, launch  # noqa: F401  forks find it imported

ROOT = Path(__file__).parents[1]
# Many short steps and a checkpoint every few of them: most kills then hit one that is being written.
RECIPE = (
    "data.limit=64", "batch=8", "epochs=null", "steps=200", "evaluate={}", "checkpoint={every: 3 steps, keep: 2}",
    "precision=float32", "nets.f.width=4", "nets.g.hidden=[16]", "views.x.size=16",
)  # fmt: skip
STEPS = 200


class Life(Protocol):
    """A process that trains."""

    pid: int

    def ended(self, seconds: float | None = None) -> int | None:
        """Its exit code, waited for so long or for as long as it takes; None if it goes on."""


class Command:
    """A process of its own."""

    def __init__(self, words: Sequence[str], log: Path) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sslgraph", *words], cwd=ROOT, stdout=file, stderr=file, env=environment
            )
        self.pid = self.process.pid

    def ended(self, seconds: float | None = None) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.process.wait(seconds)
        return None


class Fork:
    """The same command in a fork of this process, which has imported already what takes seconds to import."""

    def __init__(self, words: Sequence[str], log: Path) -> None:
        self.code: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            os._exit(_here(words, log))

    def ended(self, seconds: float | None = None) -> int | None:
        end = time.monotonic() + (float("inf") if seconds is None else seconds)
        while self.code is None:
            found, status = os.waitpid(self.pid, os.WNOHANG)
            if found:
                self.code = os.waitstatus_to_exitcode(status)
            elif time.monotonic() >= end:
                return None
            else:
                time.sleep(0.005)
        return self.code


def _here(words: Sequence[str], log: Path) -> int:
    """Runs the command in this process with its output in a file; gives the exit code."""
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    sys.argv = ["sslgraph", *words]
    try:
        cli.main()
    except SystemExit as asked:
        return int(asked.code or 0) if isinstance(asked.code, int | None) else 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


@dataclass
class Soak:
    """The runs of one soak, in a folder of their own."""

    folder: Path
    workers: int = 1
    chance: random.Random = field(default_factory=lambda: random.Random(0))
    kills: dict[str, int] = field(default_factory=dict)
    runs: int = 0

    def start(self, out: Path, seed: int) -> Life:
        """A process of `sslgraph train` that goes on with the run in this folder."""
        words = ["train", "simclr", "--out", str(out), "--seed", str(seed), "--workers", str(self.workers)]
        words += [word for text in RECIPE for word in ("--set", text)]
        log = self.folder / f"{out.name}.log"
        return Fork(words, log) if self.workers == 1 else Command(words, log)

    def undisturbed(self, seed: int) -> Path:
        """The run of a seed from its first step to its last without a break; made once."""
        out = self.folder / f"undisturbed-{seed}"
        if not out.is_dir() and self.start(out, seed).ended() != 0:
            raise SystemExit(f"the undisturbed run failed: {self.folder}/{out.name}.log")
        return out

    def disturb(self, seed: int, most: int) -> None:
        """One run, killed up to so many times, then left alone until it is done, and compared."""
        expected, out = self.undisturbed(seed), self.folder / f"run-{self.runs}"
        left = most
        while True:
            process = self.start(out, seed)
            while left > 0 and self.kill(process, out):
                left -= 1
                if process.ended(0) is not None:
                    break
            if (code := process.ended()) == 0:
                break
            if code != -signal.SIGKILL:
                raise SystemExit(f"{out} ended with exit code {code}: see {out}.log")
        compare(expected, out)
        self.runs += 1
        shutil.rmtree(out)

    def kill(self, process: Life, out: Path) -> bool:
        """Kills at a random moment: while it starts, or after it went on; False if it was done before that."""
        if self.chance.random() < 0.2:
            waited = self.chance.uniform(0, 1 if self.workers == 1 else 10)
        else:
            before, waited = newest(out), self.chance.uniform(0, 1.5)
            while newest(out) == before and process.ended(0) is None:
                time.sleep(0.01)
        if process.ended(waited) is not None:
            return False
        victims = workers_of(process.pid) if self.workers > 1 and self.chance.random() < 0.7 else []
        kind, victim = ("worker", self.chance.choice(victims)) if victims else ("process", process.pid)
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
        if kind == "process":
            process.ended()
            self.settle()
        self.kills[kind] = self.kills.get(kind, 0) + 1
        return True

    def settle(self) -> None:
        """Ray's processes of a driver that was killed end within seconds; two that write one folder prove nothing."""
        end = time.monotonic() + 60
        while self.workers > 1 and orphans(self.folder) and time.monotonic() < end:
            time.sleep(0.2)


def newest(out: Path) -> str:
    """The name of the newest checkpoint, or nothing."""
    return max((path.name for path in (out / "checkpoints").glob("step_*")), default="")


def parents() -> dict[int, tuple[int, str]]:
    """For each process its parent and its title."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError, ValueError):
            parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
            found[int(place.name)] = (parent, (place / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


def workers_of(driver: int) -> list[int]:
    """Ray Train's workers below a driver."""
    there = parents()

    def is_below(process: int) -> bool:
        while process in there and process != driver:
            process = there[process][0]
        return process == driver

    return [process for process, (_, title) in there.items() if "RayTrainWorker" in title and is_below(process)]


def orphans(folder: Path) -> bool:
    """Whether a worker is alive that still has a file of this soak open."""
    for process, (_, title) in parents().items():
        if "RayTrainWorker" in title:
            with contextlib.suppress(OSError):
                if any(str(folder) in str(file.readlink()) for file in Path(f"/proc/{process}/fd").iterdir()):
                    return True
    return False


def steps(out: Path) -> list[dict[str, float]]:
    """What the record says of each step, without what depends on the clock and what monitors add."""
    names = ("step", "contrast", "gradient_norm", "lr")
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [{name: line[name] for name in names} for line in lines if "contrast" in line]


def compare(expected: Path, out: Path) -> None:
    """Stops unless both runs hold each step once, the same numbers at each, and the same weights to the last bit."""
    found = [int(line["step"]) for line in steps(out)]
    lost, twice = set(range(1, STEPS + 1)) - set(found), len(found) - len(set(found))
    if lost or twice or found != sorted(found):
        raise SystemExit(f"{out}: {len(lost)} steps lost, {twice} done twice")
    if steps(out) != steps(expected):
        raise SystemExit(f"{out}: the losses differ from those of {expected}")
    for name in ("method", "optimizer"):
        one, two = (
            torch.load(run / "checkpoints" / f"step_{STEPS:08d}" / f"{name}.pt", weights_only=True)
            for run in (expected, out)
        )
        if not is_same(one, two):
            raise SystemExit(f"{out}: {name}.pt differs from that of {expected}")


def is_same(one: object, two: object) -> bool:
    """Equality of nested dictionaries of tensors, to the last bit."""
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(is_same(one[key], two[key]) for key in one)
    return torch.equal(one, two) if isinstance(one, torch.Tensor) and isinstance(two, torch.Tensor) else one == two


def soak(kills: int, *, workers: int = 1, seed: int = 0, out: Path | None = None) -> Soak:
    """Kills so many times, over as many runs as that takes."""
    torch.set_num_threads(1)  # a fork does not inherit the other threads of a pool
    work = Soak(out or Path(tempfile.mkdtemp(prefix="soak-")), workers, random.Random(seed))
    work.folder.mkdir(parents=True, exist_ok=True)
    while (done := sum(work.kills.values())) < kills:
        work.disturb(seed=work.runs % 3, most=min(kills - done, 15))
        print(f"{work.runs} runs, kills {work.kills}: each step once, all bits equal", flush=True)
    return work


def main(words: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="kills runs at random moments and lets them go on")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args(words)
    start = time.monotonic()
    work = soak(asked.kills, workers=asked.workers, seed=asked.seed, out=asked.out)
    took = time.monotonic() - start
    print(f"{sum(work.kills.values())} kills over {work.runs} runs of {STEPS} steps in {took:.0f} s: none lost a step")


if __name__ == "__main__":
    main()
