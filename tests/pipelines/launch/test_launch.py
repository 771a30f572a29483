"""One loop on three executors, this process, torchrun, Ray Train: the numbers are the same, faults are sentences."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tiny_recipe
import torchrun_ends
from tars import numbered, shard
from toy_training import toy_body

from sslgraph.errors import SslgraphError
from sslgraph.pipelines.launch import launch as launcher
from sslgraph.pipelines.launch.cluster import Share, cluster, share
from sslgraph.pipelines.launch.cluster import _start as start_ray
from sslgraph.pipelines.launch.launch import _in_words, launch

HERE = Path(__file__).parent
ROOT = Path(__file__).parents[3]
PATHS = [str(HERE), str(ROOT / "tests" / "support"), str(ROOT)]
THIS_MACHINE = {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
IMPORTS = f"import sys; sys.path[:0] = {PATHS}; import test_launch; from pathlib import Path"


def start(folder: Path, workers: int = 1, **overrides: Any) -> dict[str, Any]:
    return launch({"out": str(folder), "overrides": overrides}, workers=workers, settle=dict, body=toy_body)


def losses(folder: Path) -> list[tuple[float, ...]]:
    found = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [(line["step"], line["follow"], line["spread"], line["gradient_norm"]) for line in found if "follow" in line]


def same(folder: Path) -> None:
    """Each step once, and equal up to the order in which floats are added."""
    for one, two in zip(losses(folder / "one"), losses(folder / "two"), strict=True):
        assert two == pytest.approx(one, rel=2e-5)


def listening_at() -> set[str]:
    """The addresses at which this process, its children and all processes of its Ray wait to be called."""
    import psutil
    import ray

    ours = {os.getpid(), *(child.pid for child in psutil.Process().children(recursive=True))}
    session = ray._private.worker.global_worker.node.get_session_dir_path()  # type: ignore[attr-defined]
    for process in psutil.process_iter(["pid", "cmdline"]):
        if any(session in word for word in process.info["cmdline"] or []):
            ours.add(process.info["pid"])
    return {c.laddr.ip for c in psutil.net_connections("inet") if c.status == "LISTEN" and c.pid in ours}


def test_one_worker_is_this_process_and_imports_no_ray(tmp_path: Path) -> None:
    code = f"{IMPORTS}; print(test_launch.start(Path({str(tmp_path)!r}))['steps'], 'ray' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert ran.stdout.split() == ["20", "False"]


def test_a_whole_run_on_one_process_imports_no_ray(tmp_path: Path) -> None:
    """Settled, trained, evaluated, saved and summed up, as `sslgraph train` does."""
    words = ["train", "demo/simclr", "--out", str(tmp_path / "run"), "--set", "epochs=null"]
    words += [
        word for text in ("steps=2", "batch=16", "data.images=64", "data.test_images=32") for word in ("--set", text)
    ]
    code = f"import sys; from sslgraph.pipelines.commands import app; app.app({words}, standalone_mode=False)"
    code += "; print('ray' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=300)
    assert (ran.returncode, ran.stdout.split()[-1:]) == (0, ["False"]), ran.stderr
    assert (tmp_path / "run" / "summary.json").is_file()


@pytest.mark.parametrize(
    ("workers", "nodes", "message"),
    [
        (3, [(2, 0)], "3 workers need 3 processor cores, and there are 2; ask for --workers 2"),
        (3, [(8, 1), (8, 1)], "3 workers need 3 GPUs, and there are 2; ask for --workers 2"),
        (1, [(0, 0)], "1 workers need 1 processor cores, and there are 0; start a node that has some"),
    ],
)
def test_more_workers_than_processors_are_refused_at_once(
    workers: int, nodes: list[tuple[int, int]], message: str
) -> None:
    with pytest.raises(SslgraphError, match=message):
        share(nodes, workers)


@pytest.mark.parametrize(
    ("workers", "nodes", "found"),
    [
        (2, [(2, 0)], Share(1, 0)),
        (1, [(0, 0), (8, 0)], Share(8, 0)),
        (2, [(3, 0), (1, 0)], Share(1, 0)),  # not 4 // 2: no node has twice two
        (3, [(8, 0), (4, 0)], Share(4, 0)),
        (8, [(0, 0), (64, 8)], Share(8, 1)),
        (1, [(4, 0), (64, 8)], Share(8, 1)),  # the CPUs that go with one GPU, the others are for others
    ],
)
def test_a_worker_gets_a_share_that_its_node_has(workers: int, nodes: list[tuple[int, int]], found: Share) -> None:
    assert share(nodes, workers) == found


def test_a_job_server_is_no_cluster(tmp_path: Path) -> None:
    with pytest.raises(SslgraphError, match=r"http://head:8265 is a job server, .* sslgraph submit"):
        launch({"out": str(tmp_path)}, address="http://head:8265", settle=dict, body=toy_body)


def test_no_worker_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SslgraphError, match="--workers 0 would train nothing"):
        start(tmp_path, workers=0)


def test_the_worker_that_failed_is_named_and_not_the_one_that_lost_it() -> None:
    failures = {0: RuntimeError("gloo: Connection closed by peer"), 1: TypeError("no such thing")}
    text = _in_words(failures, "/runs/a", "/logs")
    assert text.startswith("worker 1 failed 3 times") and "no such thing" in text and "--out /runs/a continues" in text
    assert text.endswith("; traces are in /logs, on each node")


def test_a_ray_that_ends_a_run_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ray.exceptions import OutOfMemoryError

    def killed(*_: object) -> dict[str, Any]:
        raise OutOfMemoryError("Task was killed due to the node running low on memory.\nMemory on the node was 23 GB")

    monkeypatch.setattr(launcher, "_fit", killed)
    with pytest.raises(SslgraphError) as told:
        launcher._persistently({"out": str(tmp_path)}, 2, Share(1, 0), toy_body)
    cure = f"the same command with --out {tmp_path} continues"
    assert str(told.value) == f"Ray ended the run: Task was killed due to the node running low on memory; {cure}"


@pytest.fixture(scope="module")
def one_ray() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", PATHS[1], prepend=os.pathsep)
        with cluster(None):
            yield


@pytest.mark.parametrize("address", [None, "127.0.0.1:1"])
def test_a_missing_token_is_found_before_ray_is_asked(
    address: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(is_initialized=lambda: False))
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "gone"))
    with pytest.raises(SslgraphError, match=r"Ray's token .*/gone can't be read"), cluster(address):
        pass


@pytest.mark.parametrize("slow", [2, 3])
def test_a_ray_that_starts_slowly_is_tried_three_times(slow: int) -> None:
    """On a machine that does much else."""
    done: list[str] = []

    def init(**_: object) -> None:
        done.append("init")
        if done.count("init") <= slow:
            raise Exception("The current node timed out during startup. This could happen because of anything.")

    ray = SimpleNamespace(init=init, shutdown=lambda: done.append("shutdown"))
    if slow == 2:
        start_ray(ray)
        assert done == ["init", "shutdown", "init", "shutdown", "init"]
    else:
        with pytest.raises(SslgraphError, match="Ray did not start on this machine within 30 s, three times"):
            start_ray(ray)
        assert done == ["init", "shutdown"] * 3


SLOW_START = """
import time, psutil, ray
from ray._private import services
from sslgraph.pipelines.launch.cluster import cluster
real, begun = services.get_node, time.monotonic()
def absent(*words, **settings):
    if time.monotonic() - begun < 40:
        time.sleep(0.5)
        raise RuntimeError("no such node yet")
    return real(*words, **settings)
services.get_node = absent
with cluster(None):
    assert time.monotonic() - begun > 40
    print(len(ray.nodes()), [child.name() for child in psutil.Process().children(True)].count("gcs_server"))
"""


@pytest.mark.ray
@pytest.mark.slow
def test_what_a_slow_start_left_behind_is_ended_before_the_next_try() -> None:
    """Ray hears for 40 s that its node is not there, so that its first try fails after 30 s."""
    code = f"{IMPORTS}{SLOW_START}"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=600)
    assert ran.stdout.split() == ["1", "1"], ran.stderr


@pytest.mark.ray
def test_a_private_ray_stays_private_where_the_user_imported_ray_before() -> None:
    """A notebook does so. At its import Ray reads whether tokens are asked for and which sockets are open to others."""
    code = f"import ray; {IMPORTS}; from sslgraph.pipelines.launch.cluster import cluster\n"
    code += "with cluster(None): print(*test_launch.listening_at())"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=300)
    assert ran.stdout.split() and set(ran.stdout.split()) <= THIS_MACHINE, ran.stderr


@pytest.mark.ray
@pytest.mark.usefixtures("one_ray")
def test_two_ray_workers_train_as_one_process_does(tmp_path: Path) -> None:
    start(tmp_path / "one")
    found = start(tmp_path / "two", workers=2)
    assert found["ranks"] == 2 and found["steps"] == 20
    same(tmp_path)
    # Ray's own list of checkpoints would bind the folder to those that stood when its driver died.
    assert not (tmp_path / "two" / "checkpoint_manager_snapshot.json").exists()


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.usefixtures("one_ray")
def test_a_worker_that_dies_is_replaced_and_changes_no_number(tmp_path: Path) -> None:
    start(tmp_path / "one")
    start(tmp_path / "two", workers=2, dies_at=6)
    same(tmp_path)


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.usefixtures("one_ray")
@pytest.mark.parametrize("kind", [{"game": True, "accumulate": 2}, {"phase_every": 6, "accumulate": 2}])
def test_games_passes_and_accumulation_are_the_same_on_two_ray_workers(tmp_path: Path, kind: dict[str, Any]) -> None:
    start(tmp_path / "one", **kind)
    start(tmp_path / "two", workers=2, **kind)
    same(tmp_path)


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.usefixtures("one_ray")
def test_a_fault_on_a_worker_is_the_users_message_and_is_not_tried_again(tmp_path: Path) -> None:
    with pytest.raises(SslgraphError, match=r"^the text is wrong$"):
        start(tmp_path, workers=2, fault="the text is wrong")


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.usefixtures("one_ray")
def test_storage_that_fails_on_workers_is_a_line_each_time_and_its_traces_are_kept_in_files(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SslgraphError, match=r"^worker [01] failed 3 times .*: the bucket is away; .*") as told:
        start(tmp_path, workers=2, away="the bucket is away")
    # Ray brings what workers print later, and folds equal lines. Either worker may be the first to fail.
    said, end = "", time.monotonic() + 20
    while "ended: the bucket is away" not in said and time.monotonic() < end:
        time.sleep(0.5)
        said += "".join(capfd.readouterr())
    assert re.search(r"worker [01] ended: the bucket is away", said)
    assert "Traceback" not in said and len(said.splitlines()) < 20
    logs = Path(str(told.value).rpartition("traces are in ")[2].removesuffix(", on each node"))
    assert any("Traceback" in (text := file.read_text()) and "the bucket is away" in text for file in logs.iterdir())


@pytest.mark.ray
@pytest.mark.usefixtures("one_ray")
def test_every_socket_is_on_this_machine_alone() -> None:
    assert listening_at() and listening_at() <= THIS_MACHINE


@pytest.mark.slow
@pytest.mark.parametrize("kind", [{}, {"game": True}])
def test_torchrun_trains_as_one_process_does(tmp_path: Path, kind: dict[str, Any]) -> None:
    start(tmp_path / "one", **kind)
    script = tmp_path / "go.py"
    run = f"test_launch.start(Path({str(tmp_path / 'two')!r}), **{kind})"
    script.write_text(f"{IMPORTS}; {run}; from two_ranks import gloo_threads; assert gloo_threads() == []")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script)]
    subprocess.run(command, check=True, timeout=300, env={**os.environ, "OMP_NUM_THREADS": "1"})
    same(tmp_path)


@pytest.mark.slow
def test_a_training_that_is_finished_ends_well_under_torchrun(tmp_path: Path) -> None:
    """The short form of tests/support/torchrun_ends.py, and that it can fail."""
    (tmp_path / "tiny.yaml").write_text(tiny_recipe.RECIPE.lstrip())
    assert [torchrun_ends.start(tmp_path, number) for number in range(2)] == ["", ""]
    (tmp_path / "tiny.yaml").write_text("recipe: none\n")
    assert torchrun_ends.start(tmp_path, 2).startswith("exit codes [1]\n")


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.usefixtures("one_ray")
def test_the_demo_recipe_gives_the_same_losses_on_two_workers(tmp_path: Path) -> None:
    """As `sslgraph train simclr --workers 2` does, for 20 steps; docs/results.md says why not in float32."""
    from sslgraph.pipelines.commands.options import overrides

    texts = ("epochs=null", "steps=20", "precision=float64", "evaluate={}")
    for workers, name in ((1, "one"), (2, "two")):
        cfg = {"recipe": "simclr", "overrides": overrides(list(texts)), "out": str(tmp_path / name)}
        launch(cfg, workers=workers)
    lines = [(tmp_path / name / "metrics.jsonl").read_text().splitlines() for name in ("one", "two")]
    found = [[json.loads(line)["contrast"] for line in run if '"contrast"' in line] for run in lines]
    assert len(found[0]) == 20 and found[1] == pytest.approx(found[0], abs=1e-6)


@pytest.mark.slow
def test_tar_shards_give_the_same_steps_on_two_ranks_and_after_a_cut(tmp_path: Path) -> None:
    for first in (0, 40):
        shard(tmp_path / "data" / f"train-{first}.tar", numbered(first, 40))
    small = ("batch=8", "precision=float64", "views.x.size=16", "nets.f.width=4", "evaluate={}", "epochs=null")
    words = ["-m", "sslgraph", "train", "simclr", "--data", str(tmp_path / "data")]
    words += [word for text in (*small, "checkpoint={every: 3 steps}") for word in ("--set", text)]
    two = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]

    def train(folder: str, ranks: list[str]) -> list[float]:
        command = [sys.executable, *ranks, *words, "--set", "steps=12", "--out", str(tmp_path / folder)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(PATHS)}
        subprocess.run(command, check=True, timeout=600, env=environment, cwd=ROOT)
        lines = (tmp_path / folder / "metrics.jsonl").read_text().splitlines()
        return [json.loads(line)["contrast"] for line in lines if '"contrast"' in line]

    whole = train("one", [])
    assert len(whole) == 12 and train("two", two) == pytest.approx(whole, abs=1e-6)
    for name in ("summary.json", "checkpoints/step_00000012"):
        path = tmp_path / "two" / name
        path.unlink() if path.is_file() else shutil.rmtree(path)
    assert train("two", []) == pytest.approx(whole, abs=1e-6)
