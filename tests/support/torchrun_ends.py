"""Starts short trainings of two ranks, one after another, and counts those that do not end well.

    python tests/support/torchrun_ends.py --starts 200            each by torchrun
    python tests/support/torchrun_ends.py --starts 200 --forks    ranks forked from a process that has all imported

A thread that outlives the connection between ranks aborts a process at its very end now and then, and torchrun then
reports a finished training as failed. Forked ranks end as others do, by the interpreter's own end, and start in a tenth
of the time. Ends with exit code 1 if a training did not end well.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import tiny_recipe

ROOT = Path(__file__).parents[2]


def start(folder: Path, number: int) -> str:
    """One training by torchrun; gives what it said if it did not end well, else nothing."""
    out = folder / f"run-{number}"
    words = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "sslgraph"]
    ended = subprocess.run(
        [sys.executable, *words, "train", "tiny.yaml", "--out", str(out)],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return _judged(out, [ended.returncode], f"{ended.stdout}{ended.stderr}")


def fork(folder: Path, number: int) -> str:
    """The same with ranks that are forked from here. A rank leaves this function, and the program, by SystemExit."""
    out, log = folder / f"run-{number}", folder / "log"
    log.write_bytes(b"")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ranks = []
    for rank in range(2):
        if (process := os.fork()) == 0:
            _rank(rank, port, out, log)
        ranks.append(process)
    codes = [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in ranks]
    return _judged(out, codes, log.read_text(errors="replace"))


def _rank(rank: int, port: int, out: Path, log: Path) -> None:
    from sslgraph.pipelines.commands import app

    handle = os.open(log, os.O_WRONLY | os.O_APPEND)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.chdir(out.parent)
    about = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 2, "MASTER_PORT": port}
    os.environ.update({"MASTER_ADDR": "127.0.0.1", **{name: str(value) for name, value in about.items()}})
    sys.argv = ["sslgraph", "train", "tiny.yaml", "--out", str(out)]
    app.main()
    raise SystemExit(0)


def _judged(out: Path, codes: Sequence[int], said: str) -> str:
    is_done = not any(codes) and (out / "summary.json").is_file() and "terminate called" not in said
    shutil.rmtree(out, ignore_errors=True)
    return "" if is_done else f"exit codes {codes}\n{said}"


def _imported() -> None:
    """Imports here what forks would import each by itself."""
    sys.path.insert(0, str(ROOT))
    import tensorboard.summary.writer.record_writer  # noqa: F401
    import torch
    import torch._dynamo

    from sslgraph.pipelines.launch import launch  # noqa: F401

    torch.set_num_threads(1)  # a fork does not inherit the other threads of a pool


def main(words: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="starts short trainings of two ranks and counts bad ends")
    parser.add_argument("--starts", type=int, default=200)
    parser.add_argument("--forks", action="store_true")
    asked, begun, bad = parser.parse_args(words), time.monotonic(), 0
    if asked.forks:
        _imported()
    folder = Path(tempfile.mkdtemp(prefix="torchrun-"))
    (folder / "tiny.yaml").write_text(tiny_recipe.RECIPE.lstrip())
    for number in range(1, asked.starts + 1):
        if said := (fork if asked.forks else start)(folder, number):
            bad += 1
            print(said, flush=True)
        if number % 10 == 0 or number == asked.starts:
            print(f"{number} starts in {time.monotonic() - begun:.0f} s, {bad} did not end well", flush=True)
    shutil.rmtree(folder)
    raise SystemExit(1 if bad else 0)


if __name__ == "__main__":
    main()
