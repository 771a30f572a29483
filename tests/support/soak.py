"""Kills and stops runs at random moments and resumes them: no checkpoint, no step and no bit of the weights is lost.

    python -m tests.support.soak --kills 100 --stops 100 --slow 0.1   processes, forked from one that has all imported
    python -m tests.support.soak --kills 12 --workers 2               under Ray Train: a worker, or the whole driver

A kill is SIGKILL. A stop is what Slurm and Kubernetes do: SIGTERM, and SIGKILL after a random delay. With `--slow` each
rename, deletion and flush of the runs takes up to so many seconds. Each run is one of a few seeds and keeps one or two
checkpoints. After each death the newest whole checkpoint must be at least that of before. A run that is done is
compared with an undisturbed one of its seed. Ends with exit code 1 at the first loss, and leaves the folders.
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
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import tensorboard.summary.writer.record_writer  # noqa: F401  forks find it imported
import torch
import torch._dynamo  # torch.optim's first use asks for it

from sslgraph.pipelines.commands import app
from sslgraph.pipelines.launch import launch  # noqa: F401  forks find it imported

ROOT = Path(__file__).parents[2]
# Many short steps and a checkpoint every few of them: most kills then hit one that is being written.
RECIPE = (
    "data.limit=64", "batch=8", "epochs=null", "steps=200", "evaluate={}", "checkpoint={every: 3 steps, keep: 2}",
    "precision=float32", "nets.f.width=4", "nets.g.hidden=[16]", "views.x.size=16",
)  # fmt: skip
STEPS = 200
SLOW = ("replace", "rename", "unlink", "rmdir", "fsync")
GRACE_S = 2.0  # the longest that a stop waits before it kills


class Life(Protocol):
    """A process that trains."""

    pid: int

    def ended(self, seconds: float | None = None) -> int | None:
        """Its exit code, waited for so long or for as long as it takes; None if it goes on."""


class Command:
    """A process of its own."""

    def __init__(self, words: Sequence[str], log: Path, slow: float = 0.0) -> None:  # noqa: ARG002  a fork's alone
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

    def __init__(self, words: Sequence[str], log: Path, slow: float = 0.0) -> None:
        self.code: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            slow_files(slow)
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
        app.main()
    except SystemExit as asked:
        if isinstance(asked.code, int | None):
            return int(asked.code or 0)
        print(asked.code, file=sys.stderr, flush=True)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def slow_files(most: float) -> None:
    """From now on each rename, deletion and flush of this process takes up to so many seconds more."""
    chance = random.Random(os.getpid())

    def slowed(really: Callable[..., Any]) -> Callable[..., Any]:
        def work(*words: Any, **settings: Any) -> Any:
            time.sleep(chance.uniform(0, most))
            return really(*words, **settings)

        return work

    for name in SLOW if most else ():
        setattr(os, name, slowed(getattr(os, name)))


@dataclass
class Soak:
    """The runs of one soak, in a folder of their own."""

    folder: Path
    workers: int = 1
    slow: float = 0.0
    chance: random.Random = field(default_factory=lambda: random.Random(0))
    done: Counter[str] = field(default_factory=Counter)
    runs: int = 0

    def start(self, out: Path, seed: int, slow: float = 0.0) -> Life:
        """A process of `sslgraph train` that goes on with the run in this folder."""
        words = ["train", "simclr", "--out", str(out), "--seed", str(seed), "--workers", str(self.workers)]
        words += [word for text in RECIPE for word in ("--set", text)]
        words += ["--set", f"checkpoint.keep={1 + self.runs % 2}"]
        return (Fork if self.workers == 1 else Command)(words, self.folder / f"{out.name}.log", slow)

    def undisturbed(self, seed: int) -> Path:
        """The run of a seed from its first step to its last without a break; made once."""
        out = self.folder / f"undisturbed-{seed}"
        if not out.is_dir() and self.start(out, seed).ended() != 0:
            raise SystemExit(f"the undisturbed run failed: {self.folder}/{out.name}.log")
        return out

    def disturb(self, seed: int, strikes: list[str]) -> list[str]:
        """One run with these kills and stops, until it is done and compared; gives the strikes that it did not need."""
        expected, out, left = self.undisturbed(seed), self.folder / f"run-{self.runs}", list(strikes)
        while True:
            process = self.start(out, seed, self.slow)
            while left and self.strike(process, out, left[-1]):
                left.pop()
                if process.ended(0) is not None:
                    break
            if (code := process.ended()) == 0:
                break
            log = (self.folder / f"{out.name}.log").read_text().splitlines()
            is_stopped = code == 1 and any(line.startswith("Stopped at step ") for line in log[-5:])  # Ray may say more
            if not is_stopped and code not in (-signal.SIGKILL, -signal.SIGTERM):
                raise SystemExit(f"{out} ended with exit code {code}: see {out}.log")
        compare(expected, out)
        self.runs += 1
        shutil.rmtree(out)
        return left

    def strike(self, process: Life, out: Path, kind: str) -> bool:
        """Kills or stops at a random moment: while it starts, or after it went on; False if it was done before that."""
        if self.chance.random() < 0.2:
            waited = self.chance.uniform(0, 1 if self.workers == 1 else 10)
        else:
            before, waited = newest(out), self.chance.uniform(0, 1.5)
            while newest(out) == before and process.ended(0) is None:
                time.sleep(0.01)
        if process.ended(waited) is not None:
            return False
        victims = workers_of(process.pid) if self.workers > 1 and self.chance.random() < 0.7 else []
        is_worker, before = kind == "kill" and bool(victims), usable(out)
        with contextlib.suppress(ProcessLookupError):
            if kind == "stop":
                os.kill(process.pid, signal.SIGTERM)
                process.ended(self.chance.uniform(0, GRACE_S))
                before = max(before, usable(out))
            os.kill(self.chance.choice(victims) if is_worker else process.pid, signal.SIGKILL)
        if not is_worker:
            process.ended()
            self.settle()
            if (after := usable(out)) < before:
                raise SystemExit(f"{out}: step {before} had a whole checkpoint before a {kind}, and now {after} has")
        self.done["kill of a worker" if is_worker else kind] += 1
        return True

    def settle(self) -> None:
        """Ray's processes of a driver that was killed end within seconds; two that write one folder prove nothing."""
        end = time.monotonic() + 60
        while self.workers > 1 and orphans(self.folder) and time.monotonic() < end:
            time.sleep(0.2)


def usable(out: Path) -> int:
    """The newest step that a start can go on from: a whole checkpoint, in its place or not yet; -1 if there is none."""
    found = [-1]
    for path in [*(out / "checkpoints").glob("step_*"), *(out / "checkpoints").glob(".step_*")]:
        with contextlib.suppress(OSError, ValueError):
            marker = json.loads((path / "COMPLETE").read_text())
            if all((path / name).stat().st_size == size for name, size in marker["files"].items()):
                found.append(marker["step"])
    return max(found)


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
    """Whether a process of Ray is alive that still has a file of this folder open."""
    for process, (_, title) in parents().items():
        if title.startswith("ray::"):
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


def soak(
    kills: int, *, stops: int = 0, workers: int = 1, seed: int = 0, slow: float = 0.0, out: Path | None = None
) -> Soak:
    """Kills and stops so many times, over as many runs as that takes."""
    torch.set_num_threads(1)  # a fork does not inherit the other threads of a pool
    work = Soak(out or Path(tempfile.mkdtemp(prefix="soak-")), workers, slow, random.Random(seed))
    work.folder.mkdir(parents=True, exist_ok=True)
    strikes = ["kill"] * kills + ["stop"] * stops
    work.chance.shuffle(strikes)
    while strikes:
        strikes, now = strikes[15:], strikes[:15]
        strikes += work.disturb(seed=work.runs % 3, strikes=now)
        print(f"{work.runs} runs, {dict(work.done)}: no checkpoint lost, each step once, all bits equal", flush=True)
    return work


def main(words: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="kills and stops runs at random moments and resumes them")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--stops", type=int, default=0)
    parser.add_argument("--slow", type=float, default=0.0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    asked, start = parser.parse_args(words), time.monotonic()
    work = soak(asked.kills, stops=asked.stops, workers=asked.workers, seed=asked.seed, slow=asked.slow, out=asked.out)
    took, found = time.monotonic() - start, ", ".join(f"{count} x {kind}" for kind, count in sorted(work.done.items()))
    print(f"{found} over {work.runs} runs of {STEPS} steps in {took:.0f} s: nothing lost")


if __name__ == "__main__":
    main()
