"""A node is killed under a run on two: when another has joined, the run goes on by itself, each step once."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import soak

Tell = Callable[[str], str]


ROOT = Path(__file__).parents[3]


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[tuple[str, dict[str, str], Tell]]:
    """A head with one core, so that two workers need a second node: its address, its world, and how it is told."""
    (token := tmp_path / "token").write_text("0123456789abcdef" * 2)
    token.chmod(0o600)
    world = {
        **os.environ, "OMP_NUM_THREADS": "1", "RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token), "PYTHONPATH": str(ROOT), "RAY_worker_niceness": "0",
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",
    }  # fmt: skip
    log = (tmp_path / "nodes.log").open("w")
    keeper = subprocess.Popen(
        [sys.executable, str(ROOT / "tests/support/ray_nodes.py")],
        env=world, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
    )  # fmt: skip
    assert keeper.stdin is not None and keeper.stdout is not None
    given, said = keeper.stdin, keeper.stdout

    def answer(word: str) -> str:
        line = next((line for line in said if line.startswith(word)), "")
        assert line, (tmp_path / "nodes.log").read_text()
        return line.removeprefix(word).strip()

    def tell(word: str) -> str:
        given.write(f"{word}\n")
        given.flush()
        return answer("DONE")

    try:
        yield answer("ADDRESS"), world, tell
        tell("end")
    finally:
        keeper.kill()
        keeper.communicate()
        log.close()


def trained(address: str, world: dict[str, str], out: Path) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "sslgraph", "train", "simclr", "--workers", "2", "--address", address]
    words += [word for text in soak.RECIPE for word in ("--set", text)]
    return subprocess.Popen(
        [*words, "--out", str(out)],
        env=world,
        cwd=out.parent,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def wait_for_steps(folder: Path, count: int) -> None:
    end, lines = time.monotonic() + 600, folder / "metrics.jsonl"
    while not lines.is_file() or lines.read_text().count('"contrast"') < count:
        assert time.monotonic() < end, f"{folder} did not reach step {count}"
        time.sleep(0.2)


@pytest.mark.ray
@pytest.mark.slow
def test_a_run_on_two_nodes_survives_the_death_of_one(nodes: tuple[str, dict[str, str], Tell], tmp_path: Path) -> None:
    address, world, tell = nodes
    tell("add")
    calm, hurt = tmp_path / "calm", tmp_path / "hurt"
    said, _ = (first := trained(address, world, calm)).communicate(timeout=600)
    assert first.returncode == 0, said
    running = trained(address, world, hurt)
    wait_for_steps(hurt, 40)
    tell("kill")
    time.sleep(5)
    assert not (hurt / "summary.json").exists() and running.poll() is None  # it waits for a node
    tell("add")
    said, _ = running.communicate(timeout=600)
    assert running.returncode == 0 and "continues after step " in said, said
    soak.compare(calm, hurt)
