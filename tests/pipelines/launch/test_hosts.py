"""Several hosts, of which one after another is lost: the run ends with the bits of one that nothing happened to."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import soak
from hosts import Host, hosts

WORDS = ["train", "simclr", *(word for text in soak.RECIPE for word in ("--set", text))]
Started = subprocess.Popen[str]


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Host, ...]]:
    """Two hosts."""
    with hosts(2, tmp_path) as made:
        yield made


@pytest.fixture
def world() -> dict[str, str]:
    """The environment of every command."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(soak.ROOT)}


def steps_of(out: Path) -> int:
    lines = out / "metrics.jsonl"
    return lines.read_text().count('"contrast"') if lines.is_file() else 0


def wait_for(done: Callable[[], bool], processes: list[Started], what: str, seconds: float = 600) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, f"waited {seconds} s in vain: {what}"
        assert all(process.poll() is None for process in processes), what
        time.sleep(0.1)


@pytest.mark.slow
def test_torchrun_on_two_hosts_loses_either_and_the_cable_between_them_and_no_bit(
    two: tuple[Host, ...], world: dict[str, str], tmp_path: Path
) -> None:
    """Without a launcher that starts lost hosts again, both ranks end and the same command goes on."""
    calm, hurt = tmp_path / "calm", tmp_path / "hurt"

    def ranks(out: Path, start: int) -> list[Started]:
        meeting = ["--master-addr", two[0].address, "--master-port", str(29600 + start), "--nnodes", "2"]
        words = ["--nproc-per-node", "1", "-m", "sslgraph", *WORDS, "--out", str(out)]
        with (tmp_path / f"{out.name}-{start}.log").open("w") as log:
            return [
                host.start(
                    sys.executable, "-m", "torch.distributed.run", *meeting, "--node-rank", str(rank), *words,
                    env=world, cwd=tmp_path, stdout=log, stderr=log,
                )
                for rank, host in enumerate(two)
            ]  # fmt: skip

    assert [rank.wait(600) for rank in ranks(calm, 0)] == [0, 0]
    for start, lost in enumerate((1, 0)):
        both, reached = ranks(hurt, start), 40 * (start + 1)
        wait_for(lambda reached=reached: steps_of(hurt) >= reached, both, f"step {reached}")
        two[lost].off()
        assert both[1 - lost].wait(250) != 0 and steps_of(hurt) < soak.STEPS
    both = ranks(hurt, 2)
    wait_for(lambda: steps_of(hurt) >= 120, both, "step 120")
    two[1].cable("down")
    time.sleep(20)  # what was computed is written
    reached = steps_of(hurt)
    time.sleep(70)
    assert steps_of(hurt) == reached < soak.STEPS and [rank.poll() for rank in both] == [None, None]
    two[1].cable("up")
    assert [rank.wait(600) for rank in both] == [0, 0]
    soak.compare(calm, hurt)
