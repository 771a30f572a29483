"""A run that is kept at an address is the run that a folder would hold, whoever is killed and wherever it goes on."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from command import Command
from command import sslgraph as sslgraph
from object_storage import Storage
from object_storage import storage as storage
from runs import assert_equal
from soak import workers_of
from tiny_recipe import RECIPE

from sslgraph.pipelines.storage import fetching, lease

ROOT = Path(__file__).parents[3]
ADDRESS = "s3://b/runs/one"


def weights(folder: Path, step: int) -> object:
    return torch.load(folder / "checkpoints" / f"step_{step:08d}" / "method.pt", weights_only=True)


def steps(folder: Path) -> list[int]:
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return [found["step"] for line in lines if "gradient_norm" in (found := json.loads(line))]


def test_a_run_at_an_address_goes_on_elsewhere_and_ends_as_one_in_a_folder(
    storage: Storage, tmp_path: Path, sslgraph: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "SETTLES_S", 0.0)
    monkeypatch.chdir(tmp_path)
    text = f"{RECIPE}checkpoint: {{every: 1 steps, keep: 2}}\nevaluate: {{}}\n"
    Path("tiny.yaml").write_text(text.replace("steps: 2", "steps: 4"))
    assert sslgraph("train", "tiny.yaml", "--out", "whole").code == 0
    said = sslgraph("train", "tiny.yaml", "--out", ADDRESS)
    assert said.code == 0, said.err
    assert f"done: {ADDRESS}\nNext: sslgraph evaluate {ADDRESS}" in said.out and f"\nrun {ADDRESS}\n" in said.out
    there = storage.root / "b" / "runs" / "one"
    assert_equal(weights(there, 4), weights(tmp_path / "whole", 4))
    # As after a kill behind step 3, on a machine that has nothing of it.
    shutil.rmtree(there / "checkpoints" / "step_00000004")
    (there / "summary.json").unlink()
    shutil.rmtree(fetching.folder_of(ADDRESS))
    again = sslgraph("train", "--resume", ADDRESS)
    assert again.code == 0 and "continues after step 3" in again.out, again.err
    assert_equal(weights(there, 4), weights(tmp_path / "whole", 4))
    here = fetching.visit(ADDRESS)
    assert steps(here) == [1, 2, 3, 4]
    assert json.loads((here / "summary.json").read_text())["checkpoint"] == f"{ADDRESS}/checkpoints/step_00000004"


@pytest.mark.slow
def test_kills_at_random_moments_lose_nothing_that_was_sent_and_no_bit(storage: Storage, tmp_path: Path) -> None:
    """Half of the kills take the machine with them: its folder is gone, and only the address is left."""
    chance, there = random.Random(3), storage.root / "b" / "runs" / "one"
    text = RECIPE.replace("steps: 2", "steps: 6000") + "checkpoint: {every: 20 steps, keep: 2}\nevaluate: {}\n"
    (tmp_path / "tiny.yaml").write_text(text)
    words = [sys.executable, "-m", "sslgraph", "train", "tiny.yaml", "--out"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}

    def start(place: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*words, place], cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL)

    def newest() -> int:
        return max((int(marker.parent.name[5:]) for marker in there.glob("checkpoints/step_*/COMPLETE")), default=-1)

    assert start("whole").wait() == 0
    kills, before = 0, -1
    while True:
        life = start(ADDRESS)
        begun = time.monotonic()
        while life.poll() is None and (newest() == before or time.monotonic() - begun < 3) and kills < 8:
            time.sleep(0.05)
        if kills == 8:
            break
        time.sleep(chance.uniform(0, 2))
        life.send_signal(signal.SIGKILL)
        if life.wait() == 0:
            break
        kills += 1
        assert newest() >= before
        before = newest()
        if chance.random() < 0.5:
            shutil.rmtree(fetching.folder_of(ADDRESS), ignore_errors=True)
    assert life.wait() == 0 and kills >= 5
    assert_equal(weights(there, 6000), weights(tmp_path / "whole", 6000))
    assert steps(fetching.visit(ADDRESS)) == list(range(1, 6001))


@pytest.mark.ray
@pytest.mark.slow
def test_a_ray_worker_that_dies_goes_on_from_the_address_to_the_last_bit(storage: Storage, tmp_path: Path) -> None:
    there = storage.root / "b" / "runs" / "one"
    text = RECIPE.replace("steps: 2", "steps: 200") + "checkpoint: {every: 5 steps, keep: 2}\nevaluate: {}\n"
    (tmp_path / "tiny.yaml").write_text(text)
    words = [sys.executable, "-m", "sslgraph", "train", "tiny.yaml", "--workers", "2", "--out"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    subprocess.run([*words, "whole"], cwd=tmp_path, env=environment, check=True, timeout=600)
    life = subprocess.Popen([*words, ADDRESS], cwd=tmp_path, env=environment)
    while not list(there.glob("checkpoints/step_*5/COMPLETE")):
        assert life.poll() is None
        time.sleep(0.05)
    os.kill(random.Random(0).choice(workers_of(life.pid)), signal.SIGKILL)
    assert life.wait(timeout=600) == 0
    assert_equal(weights(there, 200), weights(tmp_path / "whole", 200))
    here = fetching.visit(ADDRESS)
    assert steps(here) == list(range(1, 201)) and len((here / "starts.jsonl").read_text().splitlines()) == 2
