"""Trackers are told the same numbers in groups, through their own libraries, and none of them ends a run."""

from __future__ import annotations

import importlib.util
import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from command import Command
from command import sslgraph as sslgraph
from tiny_recipe import RECIPE

from sslgraph.pipelines.record import trackers
from sslgraph.pipelines.record.trackers import Shown, Trackers, grouped


class Told:
    """A tracker that keeps what it is told, and may fail at a step."""

    def __init__(self, fails_at: int = -1) -> None:
        self.rows: list[tuple[int, dict[str, float]]] = []
        self.fails_at, self.is_closed = fails_at, False

    def write(self, step: int, values: Mapping[str, float]) -> None:
        if step == self.fails_at:
            raise ConnectionError("no way to the server\nand more of it")
        self.rows.append((step, dict(values)))

    def close(self) -> None:
        self.is_closed = True


def opened(monkeypatch: pytest.MonkeyPatch, folder: Path, **told: Told) -> tuple[Trackers, list[str]]:
    said: list[str] = []
    made = {name: (name, lambda _shown, one=one: one) for name, one in told.items()}
    monkeypatch.setattr(trackers, "TRACKERS", made)
    found = Trackers(list(told), tensorboard=False, say=said.append)
    found.begin(Shown(folder))
    return found, said


def test_numbers_stand_in_groups() -> None:
    names = ("contrast", "lr", "gradient_norm", "waiting", "knn", "knn_pixels", "monitor/f/std")
    assert [grouped(name, ("contrast",)) for name in names] == [
        "loss/contrast", "optimizer/lr", "optimizer/gradient_norm", "pace/waiting", "evaluation/knn",
        "evaluation/knn_pixels", "monitor/f/std",
    ]  # fmt: skip


def test_a_tracker_that_fails_is_left_out_and_said_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    good, bad = Told(), Told(fails_at=2)
    found, said = opened(monkeypatch, tmp_path, good=good, bad=bad)
    for step in (1, 2, 3):
        found.write(step, {"step": step, "a": 0.5, "lr": float("nan")}, ("a",))
    found.close()
    assert said == ["bad gets no more numbers of this run: no way to the server"]
    assert good.rows == [(step, {"loss/a": 0.5}) for step in (1, 2, 3)] and good.is_closed and not bad.is_closed


def test_a_name_elsewhere_is_kept_for_a_resumed_run(tmp_path: Path) -> None:
    assert Shown(tmp_path).known("wandb") is None
    Shown(tmp_path).remember("wandb", "a1")
    Shown(tmp_path).remember("mlflow", "b2")
    assert (Shown(tmp_path, 5).known("wandb"), Shown(tmp_path, 5).known("mlflow")) == ("a1", "b2")


def test_a_tracker_that_is_not_installed_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sslgraph: Command
) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *at: None if name == "wandb" else there(name, *at))
    (tmp_path / "tiny.yaml").write_text(f"{RECIPE}track: [wandb]\n")
    monkeypatch.chdir(tmp_path)
    told = sslgraph("train", "tiny.yaml", "--out", "run")
    assert told.code == 1 and "track: wandb is not installed; pip install 'sslgraph[wandb]'" in told.err
    assert not (tmp_path / "run" / "metrics.jsonl").exists()
    (tmp_path / "tiny.yaml").write_text(f"{RECIPE}track: [aim]\n")
    told = sslgraph("train", "tiny.yaml", "--out", "run")
    assert told.code == 1 and "track" in told.err and "'wandb', 'mlflow' or 'trackio'" in told.err


def trained(folder: Path, tracker: str, sslgraph: Command) -> dict[str, Any]:
    """The last line of a run of two steps that this tracker was told of, and its run folder's name."""
    (folder / "tiny.yaml").write_text(f"{RECIPE}track: [{tracker}]\n")
    told = sslgraph("train", "tiny.yaml", "--out", "run")
    assert told.code == 0 and "gets no more numbers" not in told.out, told
    lines = [json.loads(line) for line in (folder / "run" / "metrics.jsonl").read_text().splitlines()]
    found: dict[str, Any] = lines[-1]
    assert json.loads((folder / "run" / trackers.FILE).read_text())[tracker]
    return found


def test_mlflow_has_the_numbers_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sslgraph: Command) -> None:
    pytest.importorskip("mlflow")
    from mlflow.tracking import MlflowClient

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    last = trained(tmp_path, "mlflow", sslgraph)
    key = json.loads((tmp_path / "run" / trackers.FILE).read_text())["mlflow"]
    client = MlflowClient(tracking_uri=(tmp_path / "run" / "mlruns").as_uri())
    kept = client.get_run(key)
    assert kept.data.metrics["loss/contrast"] == pytest.approx(last["contrast"])
    assert kept.data.params["batch"] == "8" and kept.info.run_name == "run" and kept.info.status == "FINISHED"
    assert {path.name for path in tmp_path.iterdir()} == {"tiny.yaml", "run"}


def test_wandb_offline_has_the_numbers_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sslgraph: Command
) -> None:
    pytest.importorskip("wandb")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "offline")
    trained(tmp_path, "wandb", sslgraph)
    (file,) = (tmp_path / "run" / "wandb").glob("offline-run-*/*.wandb")
    assert b"loss/contrast" in file.read_bytes()


def test_trackio_has_the_numbers_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sslgraph: Command) -> None:
    if importlib.util.find_spec("trackio") is None:
        pytest.skip("trackio is not installed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "kept"))
    last = trained(tmp_path, "trackio", sslgraph)
    sqlite = next((tmp_path / "kept").glob("*.db"))
    with sqlite3.connect(sqlite) as opened:
        rows = [json.loads(row) for (row,) in opened.execute("select metrics from metrics order by step")]
    assert rows[-1]["loss/contrast"] == pytest.approx(last["contrast"])
