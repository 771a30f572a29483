"""Ray on three hosts, of which one or another is lost: the run ends with the bits of an undisturbed one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import soak
from hosts import OWN, Host, hosts
from object_storage import Storage
from object_storage import storage as storage
from rates import keep_for_tests

from sslgraph.pipelines.storage import fetching

WORDS = ["train", "simclr", *(word for text in soak.RECIPE for word in ("--set", text))]
ADDRESS = "s3://b/runs/one"
PORT = 9000  # of the storage
LONG = 600  # seconds: no more than a bound for what hangs, on a machine that does much else


class Cluster:
    """A head that trains nothing and holds the driver, two nodes, and storage; a node that ended is started again.

    Each host has its own disk for what sslgraph keeps there, and no host that a run may lose holds the storage.
    """

    def __init__(self, four: tuple[Host, ...], folder: Path) -> None:
        self.hosts, self.folder, self.head = four, folder, f"{four[0].address}:6379"
        self.nodes: dict[int, subprocess.Popen[str]] = {}
        (token := folder / "token").write_text("0123456789abcdef" * 2)
        token.chmod(0o600)
        self.world = {
            **os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(soak.ROOT), "SSLGRAPH_CACHE": f"{OWN}/cache",
            "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token), "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_worker_niceness": "0", "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",
            "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": str(LONG),
            "RAY_memory_monitor_refresh_ms": "0",  # what else runs on this machine is not the test
            "AWS_ENDPOINT_URL": f"http://{four[3].address}:{PORT}", "AWS_ACCESS_KEY_ID": "one",
            "AWS_SECRET_ACCESS_KEY": "a-secret", "AWS_DEFAULT_REGION": "us-east-1",
        }  # fmt: skip

    def begin(self, number: int) -> None:
        """Starts Ray on a host."""
        here = self.hosts[number]
        keep_for_tests(here.disk / "cache")
        place = ["--head", "--port", "6379"] if number == 0 else ["--address", self.head]
        share = ["--num-cpus", str(min(number, 1)), "--object-store-memory", str(10**8)]
        words = [str(Path(sys.executable).with_name("ray")), "start", "--block", "--node-ip-address", here.address]
        self.nodes[number] = self.start(number, f"node{number}", *words, *place, *share)

    def start(self, number: int, log: str, *words: str) -> subprocess.Popen[str]:
        with self.log(log).open("a") as file:
            print("begins", file=file, flush=True)
            return self.hosts[number].start(*words, env=self.world, cwd=self.folder, stdout=file, stderr=file)

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def joined(self) -> bool:
        """Whether the newest start of each node has joined; one that ended is started again."""
        for number, node in self.nodes.items():
            if node.poll() is not None:
                self.begin(number)
        newest = [self.log(f"node{number}").read_text().rpartition("begins\n")[2] for number in self.nodes]
        return all("block forever" in log for log in newest)

    def back(self, lost: list[int]) -> Callable[[], bool]:
        """Whether all of these nodes have been started again, and all nodes have joined."""
        before = [self.nodes[number] for number in lost]
        return lambda: self.joined() and all(node.poll() is not None for node in before)

    def train(self, out: str, log: str) -> subprocess.Popen[str]:
        words = [*WORDS, "--workers", "2", "--address", self.head, "--out", out]
        return self.start(0, log, sys.executable, "-m", "sslgraph", *words)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with hosts(4, folder := tmp_path_factory.mktemp("hosts")) as four:
        made = Cluster(four, folder)
        made.begin(0)
        wait_for(made.joined, "the head")
        for number in (1, 2):
            made.begin(number)
        wait_for(made.joined, "three nodes")
        yield made


@pytest.fixture(scope="module")
def calm(cluster: Cluster) -> Path:
    """The run that nothing happened to."""
    out = cluster.folder / "calm"
    assert cluster.train(str(out), "calm").wait(LONG) == 0, cluster.log("calm").read_text()
    return out


def wait_for(done: Callable[[], bool], what: str, process: subprocess.Popen[str] | None = None) -> None:
    end = time.monotonic() + LONG
    while not done():
        assert time.monotonic() < end, f"waited {LONG} s in vain: {what}"
        assert process is None or process.poll() is None, what
        time.sleep(0.1)


def steps_of(out: Path) -> int:
    lines = out / "metrics.jsonl"
    return lines.read_text().count('"contrast"') if lines.is_file() else 0


@pytest.mark.ray
@pytest.mark.slow
def test_a_cluster_of_three_hosts_loses_a_node_and_its_head_and_no_bit(cluster: Cluster, calm: Path) -> None:
    """A node is cut off until Ray takes it for dead, and comes back. Later the head is lost, and the driver on it."""
    hurt, log = cluster.folder / "hurt", cluster.log("hurt")
    running = cluster.train(str(hurt), "hurt")
    wait_for(lambda: steps_of(hurt) >= 40, "step 40", running)
    returned = cluster.back([1])
    cluster.hosts[1].cable("down")
    wait_for(lambda: "has been marked dead" in log.read_text(), "a node taken for dead", running)
    assert steps_of(hurt) < soak.STEPS
    cluster.hosts[1].cable("up")
    wait_for(returned, "the node's return", running)
    wait_for(lambda: steps_of(hurt) >= 100, "step 100 after the node's return", running)
    returned = cluster.back([0, 1, 2])
    cluster.hosts[0].off()
    assert steps_of(hurt) < soak.STEPS
    wait_for(returned, "a new head and its nodes")
    assert cluster.train(str(hurt), "hurt").wait(LONG) == 0, log.read_text()
    assert "continues after step " in log.read_text().rpartition("begins\n")[2]
    soak.compare(calm, hurt)


@pytest.mark.ray
@pytest.mark.slow
def test_a_run_at_an_address_loses_the_host_that_sends_it_and_no_bit(
    cluster: Cluster, calm: Path, storage: Storage
) -> None:
    """The host of the first rank dies with its disk. Ray replaces the rank, which goes on from what was sent."""
    sent, log = storage.root / "b" / "runs" / "one", cluster.log("sent")
    there = cluster.hosts[3]
    serve = [str(soak.ROOT / "tests/support/object_storage.py"), str(storage.root), "--host", there.address]
    cluster.start(3, "storage", sys.executable, *serve, "--port", str(PORT))
    wait_for(lambda: reaches(cluster.hosts[0], there.address), "the storage")
    running = cluster.train(ADDRESS, "sent")
    wait_for(lambda: len(list(sent.glob("checkpoints/step_*/COMPLETE"))) > 1, "two checkpoints", running)
    holder = json.loads((sent / "lease.json").read_text())["host"]
    (lost,) = (number for number in (1, 2) if cluster.hosts[number].name == holder)
    returned = cluster.back([lost])
    cluster.hosts[lost].off()
    shutil.rmtree(cluster.hosts[lost].disk / "cache")
    assert not (sent / "summary.json").exists()
    wait_for(returned, "the node that replaces the lost one", running)
    assert running.wait(LONG) == 0, log.read_text()
    assert "continues after step " in log.read_text()
    here = fetching.visit(ADDRESS)
    soak.compare(calm, here)
    assert len((here / "starts.jsonl").read_text().splitlines()) == 2


def reaches(host: Host, address: str) -> bool:
    code = f"import socket; socket.create_connection(({address!r}, {PORT}), 5)"
    with suppress(OSError):
        return host.start(sys.executable, "-c", code, cwd=host.disk, stderr=subprocess.DEVNULL).wait() == 0
    return False
