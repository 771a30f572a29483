"""A node is killed under a run on two: when another has joined, the run goes on by itself, each step once."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import soak
from test_launch_job import Cluster, free_port


@pytest.fixture
def head(tmp_path: Path) -> Iterator[Cluster]:
    """A head with one core, so that two workers need a second node."""
    made = Cluster(tmp_path, cpus=1)
    try:
        yield made
    finally:
        made.end()


def joined(head: Cluster) -> subprocess.Popen[bytes]:
    """A node of one core more, once the cluster counts it."""
    log = head.folder / f"node-{time.monotonic_ns()}.log"
    with log.open("w") as file:
        started = subprocess.Popen(
            ["ray", "start", "--address", f"127.0.0.1:{head.port}", "--node-ip-address", "127.0.0.1", "--block",
             "--num-cpus", "1", "--object-store-memory", str(10**8),
             "--dashboard-agent-listen-port", str(free_port())],
            env={**head.environment, "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "1"},  # 0 stands for "not even on Linux"
            stdout=file, stderr=file, start_new_session=True,
        )  # fmt: skip
    head.until("block forever", log)
    return started


def killed(node: subprocess.Popen[bytes]) -> int:
    """Ends a node as a power cut does: its raylet, its workers, all at once. How many workers of Ray Train it had."""
    there, whole = soak.parents(), {node.pid}
    while more := {process for process, (parent, _) in there.items() if parent in whole} - whole:
        whole |= more
    workers = sum("RayTrainWorker" in there[process][1] for process in whole)
    for process in whole:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    node.wait(30)
    return workers


@pytest.mark.ray
@pytest.mark.slow
def test_a_run_on_two_nodes_survives_the_death_of_one(head: Cluster) -> None:
    words = ["-m", "sslgraph", "train", "simclr", "--workers", "2", "--address", f"127.0.0.1:{head.port}"]
    words += [word for text in soak.RECIPE for word in ("--set", text)]
    node, (calm, hurt) = joined(head), (head.folder / name for name in ("calm", "hurt"))
    _, err = (first := head.run(*words, "--out", str(calm))).communicate(timeout=300)
    assert first.returncode == 0, err
    running = head.run(*words, "--out", str(hurt))
    head.until('"contrast"', hurt / "metrics.jsonl", times=40)
    assert killed(node) == 1
    time.sleep(5)
    assert not (hurt / "summary.json").exists() and running.poll() is None  # it waits for a node
    joined(head)
    out, err = running.communicate(timeout=400)
    assert running.returncode == 0 and "goes on from step_" in out + err, err
    soak.compare(calm, hurt)
