"""Runs that are sent to a cluster: what is sent, what is refused before, and a real job server on this machine."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from command import Command
from command import sslgraph as sslgraph

from sslgraph.errors import SslgraphError
from sslgraph.pipelines.launch import job_server

ROOT = Path(__file__).parents[3]
BIN = Path(sys.executable).parent


def test_a_job_is_the_same_words_with_storage_that_all_nodes_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sent = job_server.job(
        str(tmp_path / "specs" / "my own.yaml"), out="/shared/runs/a b", workers=4, data="/shared/images", seed=1,
        plugins=["own"], sets=["nets.g.out=32", "evaluate={}"], variables=["A=b=c"],
    )  # fmt: skip
    assert sent.entrypoint == (
        "python -m sslgraph train 'specs/my own.yaml' --out '/shared/runs/a b' --workers 4 --data /shared/images "
        "--seed 1 --plugin own --set nets.g.out=32 --set 'evaluate={}'"
    )
    assert sent.name.startswith("a-b-20") and sent.variables == {"A": "b=c"}


def test_a_run_may_be_kept_at_an_address() -> None:
    sent = job_server.job("simclr", out="s3://bucket/runs/a", workers=2)
    assert sent.entrypoint == "python -m sslgraph train simclr --out s3://bucket/runs/a --workers 2"
    assert sent.name.startswith("a-20")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            {"out": None},
            "--out is missing: give the run's folder or address, as an absolute path that is",
        ),
        ({"out": "runs/a"}, "--out runs/a: give the run's folder"),
        ({"out": "s3://bucket"}, "s3://bucket is a whole bucket; name a folder in it, such as s3://bucket/my-run"),
        ({"out": "http://host/a"}, "runs can be kept in a folder, or at an address s3://"),
        ({"out": "/a", "data": "images"}, "--data images: give where the images are, as an absolute path"),
        ({"out": "/a", "variables": ["A"]}, "--env A: write a name, an equals sign and a value"),
        ({"out": "/a", "recipe": "/etc/a.yaml"}, "/etc/a.yaml is outside .*, and only that folder is sent"),
    ],
)
def test_what_can_not_work_on_another_machine_is_refused(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(SslgraphError, match=message):
        job_server.job(asked.pop("recipe", "simclr"), **{"workers": 1, **asked})


def test_a_fault_of_the_spec_is_found_before_anything_is_sent(sslgraph: Command) -> None:
    said = sslgraph("submit", "simclr", "--out", "/a", "--address", "http://127.0.0.1:1", "--set", "nets.g.uot=3")
    assert said.code == 1 and said.out == "" and "uot" in said.err and "did you mean 'out'?" in said.err


@pytest.mark.parametrize(
    ("address", "message"),
    [
        (["--address", "http://127.0.0.1:1"], "no job server answers at http://127.0.0.1:1; see that the head node"),
        (["--address", "127.0.0.1:6379"], "--address 127.0.0.1:6379: give a job server, such as http://"),
        ([], "--address is missing: give a job server"),
    ],
)
def test_an_address_where_no_job_server_is(
    sslgraph: Command, address: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", "")
    said = sslgraph("submit", "simclr", "--out", "/a", *address)
    assert said.code == 1 and said.err.startswith(message)


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (
            RuntimeError("Request failed with status code 413: Maximum request body size"),
            "too large to be sent: the job",
        ),
        (ValueError("Package size (600.00MiB) exceeds the maximum size of 500.00MiB"), "too large to be sent: the job"),
        (
            RuntimeError("Request failed with status code 500: No available agent"),
            "refused: Request .* No available agent",
        ),
    ],
)
def test_what_the_server_says_becomes_a_sentence(failure: Exception, message: str) -> None:
    with pytest.raises(SslgraphError, match=message), job_server._understood("http://head:8265"):
        raise failure


class Broken:
    """A job server whose connection breaks once in the middle of a line."""

    def __init__(self) -> None:
        self.tries = 0

    async def tail_job_logs(self, _: str) -> AsyncIterator[str]:
        self.tries += 1
        yield "step 1\nst"
        if self.tries == 1:
            raise RuntimeError("WebSocket connection closed unexpectedly with close code 1006")
        yield "ep 2\n"
        yield "a.yaml:3:1: wrong\n  there are: a\n  did you mean 'a'?\n"

    def get_job_status(self, _: str) -> Any:
        return SimpleNamespace(is_terminal=lambda: True)


def test_a_lost_connection_neither_loses_nor_repeats_what_the_job_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_server, "AGAIN_S", 0)
    said: list[str] = []
    last = job_server._followed(Broken(), "a", said.append)
    assert "".join(said).startswith("step 1\nstep 2\na.yaml:3:1: wrong\n")
    assert last == "a.yaml:3:1: wrong\n  there are: a\n  did you mean 'a'?"


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        ("FAILED", 1, r"^job a failed: the text is wrong$"),
        ("FAILED", 137, r"^job a failed with exit code 137; its last words: the text is wrong$"),
        ("STOPPED", None, r"^job a was stopped; the same command continues from its newest checkpoint$"),
    ],
)
def test_what_a_job_ended_with_is_said(status: str, code: int | None, message: str) -> None:
    info = SimpleNamespace(status=SimpleNamespace(value=status), driver_exit_code=code, message="")
    with pytest.raises(SslgraphError, match=message):
        job_server._judge(info, "a", "the text is wrong")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Cluster:
    """A real head with its job server, on this machine's loopback, ended by its process id."""

    def __init__(self, folder: Path, *, cpus: int = 2) -> None:
        self.folder, self.port = folder, free_port()
        self.address = f"http://127.0.0.1:{(dashboard := free_port())}"
        self.session = f"/tmp/sslgraph-{dashboard}"
        (token := folder / "token").write_text("0123456789abcdef" * 2)
        token.chmod(0o600)
        self.environment = {
            **os.environ,
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "OMP_NUM_THREADS": "1", "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token), "PYTHONPATH": str(ROOT),
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",
            "RAY_worker_niceness": "0",
        }  # fmt: skip
        with (folder / "head.log").open("w") as log:
            self.head = subprocess.Popen(
                ["ray", "start", "--head", "--block", "--port", str(self.port), "--node-ip-address", "127.0.0.1",
                 "--dashboard-port", str(dashboard), "--dashboard-agent-listen-port", str(free_port()), "--num-cpus",
                 str(cpus), "--object-store-memory", str(10**8), "--temp-dir", self.session],
                env=self.environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self.until("block forever", folder / "head.log")

    def run(self, *words: str, **more: Any) -> subprocess.Popen[str]:
        command = [str(BIN / words[0]) if words[0] == "ray" else sys.executable, *words[words[0] == "ray" :]]
        return subprocess.Popen(
            command, cwd=self.folder, env={**self.environment, **more}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def submit(self, *words: str, **more: Any) -> subprocess.Popen[str]:
        return self.run("-m", "sslgraph", "submit", *words, "--address", self.address, "--workers", "2", **more)

    def until(self, text: str, file: Path, times: int = 1, seconds: float = 600) -> None:
        end = time.monotonic() + seconds
        while not file.is_file() or file.read_text().count(text) < times:
            assert time.monotonic() < end, f"{text} did not come in {file}"
            time.sleep(0.2)

    def end(self) -> None:
        """At once: asked politely, it drains for half a minute."""
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # it ended meanwhile
                if self.session.encode() in (process / "cmdline").read_bytes():
                    os.kill(int(process.name), signal.SIGKILL)
        self.head.kill()
        self.head.wait(10)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("user")
    (folder / "mine.yaml").write_text((ROOT / "specs/recipes/demo/simclr.yaml").read_text())
    for name in ("components", "pipelines", "specs", "tests", "utils"):  # the user's own, of our folders' names
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text("raise RuntimeError('a stranger was imported')\n")
    (folder / "numpy.py").write_text("raise RuntimeError('a stranger was imported')\n")
    made = Cluster(folder)
    try:
        yield made
    finally:
        made.end()


def steps(run: Path) -> list[int]:
    return [json.loads(line)["step"] for line in (run / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.ray
def test_a_fault_on_the_cluster_reaches_the_user_as_it_is(cluster: Cluster) -> None:
    sent = cluster.submit("mine.yaml", "--out", str(cluster.folder / "bad"), "--data", "/nowhere")
    out, err = sent.communicate(timeout=600)
    assert sent.returncode == 1 and "\n  stop:   ray job stop bad-" in out
    fault = "/nowhere does not exist; give the folder of the images, one file, or an address such as s3://"
    assert err.endswith(f"failed: {fault}\n")
    assert "Traceback" not in out + err


@pytest.mark.ray
def test_without_the_token_it_says_what_to_export(cluster: Cluster) -> None:
    sent = cluster.submit("mine.yaml", "--out", "/a", RAY_AUTH_TOKEN_PATH="", RAY_AUTH_MODE="disabled")
    assert "wants a token and got none that it knows; export RAY_AUTH_MODE=token" in sent.communicate(timeout=600)[1]


@pytest.mark.ray
@pytest.mark.slow
def test_a_job_that_is_stopped_keeps_its_steps_and_any_form_of_the_command_goes_on(cluster: Cluster) -> None:
    run, few = cluster.folder / "run", ["--set", "data.limit=64", "--set", "batch=8", "--set", "epochs=40"]
    whole = [*few, "--set", "evaluate={}", "--set", "checkpoint={every: 20 epochs}"]
    sent = cluster.submit("mine.yaml", "--out", str(run), *whole)
    cluster.until('"step"', run / "metrics.jsonl", times=40)
    assert sent.stdout is not None
    assert "numpy.py is not sent: " in sent.stdout.readline()
    job = sent.stdout.readline().split()[1]
    cluster.run("ray", "job", "stop", job, "--address", cluster.address).communicate(timeout=600)
    out, err = sent.communicate(timeout=600)
    saved = max((run / "checkpoints").iterdir())
    assert sent.returncode == 1
    assert err == f"job {job} was stopped; the same command continues from its newest checkpoint\n"
    done = int(saved.name[5:])
    again = f"sslgraph train --resume {run} --workers 2"
    assert f"Stopped at step {done}, checkpoint saved. Continue: {again}" in out
    assert steps(run) == list(range(1, done + 1))
    (cluster.folder / "numpy.py").unlink()  # Ray itself would import it here
    sent = cluster.run(
        "ray", "job", "submit", "--address", cluster.address, "--working-dir", str(cluster.folder), "--",
        "python", "-m", "sslgraph", "train", "mine.yaml", "--workers", "2", "--out", str(run), *whole,
    )  # fmt: skip
    out, _ = sent.communicate(timeout=600)
    assert sent.returncode == 0 and f"continues after step {done}" in out and f"done: {run}" in out
    assert steps(run) == list(range(1, 321))
