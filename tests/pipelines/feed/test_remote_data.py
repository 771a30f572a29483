"""Training from object storage: the steps of a folder, shared exactly among ranks, and the same after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from object_storage import Storage
from runs import assert_equal, records
from soak import newest, workers_of
from tars import numbered, shard
from two_ranks import together

from sslgraph.components.sources.webdataset import WebDataset
from sslgraph.errors import StorageError
from sslgraph.pipelines.feed.feed import Feed
from sslgraph.pipelines.train.loop import train
from sslgraph.views.views import ViewProgram

ROOT = Path(__file__).parents[3]
SMALL = {
    "data": {"use": "sources.webdataset", "path": "s3://b/set", "memory": 0.0}, "views.x.size": 16,
    "batch": 8, "steps": 12, "epochs": None, "evaluate": {}, "nets.f.width": 4, "checkpoint.every": "3 steps",
}  # fmt: skip


@pytest.fixture
def shards(storage: Storage) -> Path:
    """Forty samples in two shards: five steps of eight an epoch."""
    shard(storage.root / "b" / "set" / "test-0.tar", numbered(0, 1))
    for first in (0, 20):
        shard(storage.root / "b" / "set" / f"train-{first}.tar", numbered(first, 20))
    return storage.root / "b" / "set"


def losses(folder: Path) -> list[float]:
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line)["contrast"] for line in lines if '"contrast"' in line]


@pytest.mark.usefixtures("shards")
def test_each_rank_fetches_its_own_images_and_all_of_them_fetch_each_once_an_epoch(storage: Storage) -> None:
    fetched: list[tuple[str, str, str]] = []
    for rank in range(4):
        source = WebDataset(path="s3://b/set", memory=0)
        source.read(torch.tensor([0, 39]))  # the sizes of both shards
        storage.requests.clear()
        feed = Feed(source, ViewProgram({}), batch=8, rank=rank, ranks=4)
        steps = list(feed.batches(0, feed.steps_per_epoch))
        assert len(storage.requests) == 10 and len(steps) == 5
        fetched += storage.requests
    assert len(set(fetched)) == 40 and {method for method, _, _ in fetched} == {"GET"}


def test_a_cut_run_from_a_bucket_ends_with_the_bits_of_a_whole_run_from_the_folder(
    tmp_path: Path, shards: Path
) -> None:
    def cable_pulled(*_: Any) -> None:
        raise ConnectionError

    there = {"recipe": "demo/simclr", "overrides": SMALL, "out": str(tmp_path / "there")}
    here = {**there, "overrides": {**SMALL, "data.path": str(shards)}, "out": str(tmp_path / "here")}
    train(here)
    for _ in range(2):
        with pytest.raises(ConnectionError):
            train(there, report=cable_pulled)
    train(there)
    assert records(tmp_path / "there") == records(tmp_path / "here") and len(losses(tmp_path / "there")) == 12
    one, other = (
        torch.load(tmp_path / name / "checkpoints/step_00000012/method.pt", weights_only=True)
        for name in ("here", "there")
    )
    assert_equal(one, other)


@pytest.mark.usefixtures("shards")
def test_storage_that_goes_away_ends_the_run_with_what_stands_and_the_same_command_goes_on(
    tmp_path: Path, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sslgraph.files.addresses.WAITS", ())
    web = f"{storage.address}/b/set/train-{{0,20}}.tar"
    request = {"recipe": "demo/simclr", "overrides": {**SMALL, "data.path": web}, "out": str(tmp_path / "run")}

    def away(*_: Any) -> None:
        storage.failing = 10**6

    message = r"failed 1 times in \d+ s .*; the checkpoint of step [36] is kept; .*--out .* continues"
    with pytest.raises(StorageError, match=message):
        train(request, report=away)
    storage.failing = 0
    train(request)
    assert len(losses(tmp_path / "run")) == 12
    text = "".join(file.read_text() for file in (tmp_path / "run").glob("*.*") if file.suffix in (".yaml", ".jsonl"))
    assert storage.address in text and os.environ["AWS_SECRET_ACCESS_KEY"] not in text


def starts(folder: Path) -> int:
    """How often the run in a folder was started."""
    return len(file.read_text().splitlines()) if (file := folder / "starts.jsonl").is_file() else 0


def rank_of_two(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    with together(rank, folder):
        train({"recipe": "demo/simclr", "overrides": {**SMALL, "precision": "float64"}, "out": f"{folder}/two"})


@pytest.mark.usefixtures("shards")
def test_two_ranks_see_the_steps_of_one(tmp_path: Path) -> None:
    torch.multiprocessing.spawn(rank_of_two, (str(tmp_path),), nprocs=2)
    train({"recipe": "demo/simclr", "overrides": {**SMALL, "precision": "float64"}, "out": str(tmp_path / "one")})
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), abs=1e-6)


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.usefixtures("shards")
def test_a_worker_that_is_killed_under_ray_changes_no_bit(tmp_path: Path) -> None:
    sets = ("batch=8", "steps=60", "epochs=null", "evaluate={}", "views.x.size=16", "nets.f.width=4",
            "checkpoint={every: 3 steps}", "precision=float32")  # fmt: skip
    words = [sys.executable, "-m", "sslgraph", "train", "simclr", "--data", "s3://b/set", "--workers", "2"]
    words += [word for text in sets for word in ("--set", text)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}

    def started(name: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*words, "--out", str(tmp_path / name)], cwd=ROOT, env=environment)

    assert started("whole").wait(600) == 0
    run, killed, end = started("killed"), 0, time.monotonic() + 600
    while killed < 2 and run.poll() is None and time.monotonic() < end:
        before = newest(tmp_path / "killed")
        # A new start has got on, and no worker is left of the one before, which Ray ends by itself.
        while (newest(tmp_path / "killed") == before or starts(tmp_path / "killed") <= killed) and run.poll() is None:
            time.sleep(0.02)
        if victims := workers_of(run.pid):
            os.kill(victims[0], signal.SIGKILL)
            killed += 1
    assert run.wait(600) == 0 and killed == 2 and starts(tmp_path / "killed") == 3
    assert losses(tmp_path / "killed") == losses(tmp_path / "whole") and len(losses(tmp_path / "whole")) == 60
