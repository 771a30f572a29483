"""Pipelines: stages run once, go on where they were killed, are stale when something changed, and fail alone."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
import yaml
from command import Command
from command import sslgraph as sslgraph
from runs import records

from sslgraph import home
from sslgraph.errors import SpecError
from sslgraph.pipelines.stages import artefact
from sslgraph.pipelines.stages.stage_plan import plan
from sslgraph.pipelines.storage import checkpoint
from sslgraph.pipelines.train import loop

DATA = "data: {use: sources.shapes, images: 40, test_images: 20}"
BEFORE = f"""
recipe: before
method: simclr
set: {{nets.f.depth: 10, nets.f.width: 4, nets.f.stem: small, nets.g.hidden: [8, 8], nets.g.out: 8, views.x.size: 8}}
{DATA}
batch: 8
steps: 4
checkpoint: {{every: 2 steps}}
optimizer: {{use: sgd, lr: 1e-2, momentum: 0.9, weight_decay: 0}}
"""
PIPELINE = """
pipeline: Three
stages:
  before: {do: train, recipe: before.yaml}
  tuned:
    do: fine_tune
    recipe: stages/fine_tune
    given: {encoder: before}
    labels: 50 %
    set: {views.x.size: 8, batch: 10, epochs: 1, data.images: 40, data.test_images: 20}
  taught:
    do: distil
    recipe: stages/distil
    given: {teacher: tuned}
    set:
      views.x.size: 8
      nets.f: {use: backbones.resnet, depth: 10, width: 2, stem: small}
      batch: 10
      epochs: 1
      data.images: 40
      data.test_images: 20
  rows: {do: embed, of: before, split: test}
"""


class KilledError(BaseException):
    """What nothing catches."""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a pipeline and the recipe of its first stage."""
    (tmp_path / "before.yaml").write_text(BEFORE)
    (tmp_path / "three.yaml").write_text(PIPELINE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def states(**changes: Any) -> dict[str, str]:
    return {stage.name: stage.state for stage in plan("three.yaml", **changes)}


def test_stages_run_once_and_hand_their_weights_on(here: Path, sslgraph: Command) -> None:
    first = sslgraph("run", "three.yaml")
    assert first.code == 0, first.err
    assert "60 of 60 weights of f from" in first.out and "10 of 10 classes" in first.out
    assert re.search(r"tuned: done in \d:\d\d; accuracy \d", first.out)
    assert set(states().values()) == {"done"}
    folders = {stage.name: stage.folder for stage in plan("three.yaml")}
    (tuned,), (taught,) = (checkpoint.complete(folders[name] / "checkpoints") for name in ("tuned", "taught"))
    tuned_head, taught_head = (checkpoint.load(path).method for path in (tuned, taught))
    assert torch.equal(tuned_head["parts.head.layer.weight"], taught_head["parts.thead.layer.weight"])
    table = pq.read_table(folders["rows"] / "features.parquet")
    assert (
        table.num_rows == 20
        and len(table["features"][0]) == 32
        and set(table.column_names) == {"index", "file", "label", "features"}
    )
    times = {path: path.stat().st_mtime_ns for path in here.rglob("*.pt")}
    again = sslgraph("run", "three.yaml")
    assert again.code == 0 and again.out.count("done before") == 4 and len(again.out.splitlines()) == 4
    assert times == {path: path.stat().st_mtime_ns for path in here.rglob("*.pt")}
    changed = states(changes={"tuned.optimizer.lr": 0.1})
    assert changed == {"before": "done", "tuned": "stale", "taught": "stale", "rows": "done"}
    why = {stage.name: stage.why for stage in plan("three.yaml", changes={"tuned.optimizer.lr": 0.1})}
    assert (why["tuned"], why["taught"]) == ("made from another text", "made from another inputs")
    said = sslgraph("status", "three.yaml", "--set", "tuned.labels=100 %")
    assert re.search(r"tuned +stale \(made from another text\)  fine_tune", said.out)


@pytest.mark.usefixtures("here")
def test_a_killed_training_goes_on_and_ends_as_if_nothing_had_happened(
    sslgraph: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = loop.one_step

    def killed(run: Any, pieces: Any, step: int) -> None:
        if step == 3:
            raise KilledError
        real(run, pieces, step)

    monkeypatch.setattr(loop, "one_step", killed)
    with pytest.raises(KilledError):
        sslgraph("run", "three.yaml", "--only", "before")
    assert states() == {"before": "begun", "tuned": "new", "taught": "new", "rows": "new"}
    monkeypatch.setattr(loop, "one_step", real)
    said = sslgraph("run", "three.yaml", "--only", "before")
    assert "before: continues (train)" in said.out and "continues after step 2" in said.out
    sslgraph("run", "three.yaml", "--only", "before", "--out", "whole")
    (one,), (other,) = (tuple(Path(out).glob("before-*")) for out in ("runs/three", "whole"))
    assert (
        one.name == other.name
        and records(one) == records(other)
        and [line["step"] for line in records(one)] == [1, 2, 3, 4]
    )
    for name, tensor in checkpoint.load(one / "checkpoints/step_00000004").method.items():
        assert torch.equal(tensor, checkpoint.load(other / "checkpoints/step_00000004").method[name])


@pytest.mark.usefixtures("here")
def test_a_stage_that_fails_leaves_the_work_of_the_others(sslgraph: Command) -> None:
    said = sslgraph("run", "three.yaml", "--set", "tuned.labels=5")
    assert said.code == 1
    assert said.err.startswith("2 of 4 stages are not done: tuned: ")
    assert said.err.endswith("; taught: waits for tuned\n")
    assert "a batch of 10 images is larger than the data set, which has 5" in said.err
    assert states(changes={"tuned.labels": 5}) == {"before": "done", "tuned": "new", "taught": "new", "rows": "done"}


def test_a_dry_run_and_a_check_read_texts_alone(here: Path, sslgraph: Command) -> None:
    said = sslgraph("run", "three.yaml", "--dry")
    assert [line.split()[:2] for line in said.out.splitlines()] == [[name, "new"] for name in states()]
    said = sslgraph("check", "three.yaml", "--strict")
    assert said.code == 0 and "tuned: OK" in said.out and "60 of 60 weights of f from before" in said.out
    assert not (here / "runs").exists()
    assert sslgraph("draw", "three.yaml", "-o", "three.mmd").code == 0
    assert "encoder" in (here / "three.mmd").read_text() and "before" in (here / "three.mmd").read_text()


@pytest.mark.usefixtures("here")
def test_a_stage_is_stale_when_the_code_of_a_part_it_uses_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {stage.name: stage.sources for stage in plan("three.yaml")}
    real = Path.read_bytes
    monkeypatch.setattr(
        Path, "read_bytes", lambda path: real(path) + (b"# other" if path.name == "residual_blocks.py" else b"")
    )
    after = {stage.name: stage.sources for stage in plan("three.yaml")}
    assert all(after[name].difference(vars(before[name])) == "code" for name in ("before",))
    monkeypatch.setattr(Path, "read_bytes", lambda path: real(path) + (b"# other" if path.name == "vit.py" else b""))
    assert {stage.name: stage.sources for stage in plan("three.yaml")} == before


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("do: distil", "do: destil", "stage 'taught': there is no kind of stage 'destil'"),
        ("labels: 50 %", "labels: half", "labels: must be a number of images, or a share of them such as 10 %"),
        ("split: test", "part: test", "do: embed has no setting 'part'"),
        ("split: test", "split: val", "split: must be 'train', 'test' or 'all'"),
        ("of: before", "of: rows2", "is given the unknown artefact 'rows2'"),
        ("{do: train, recipe: before.yaml}", "{do: train}", "do: train needs recipe: the recipe that it trains"),
        ("given: {teacher: tuned}", "given: {master: tuned}", "no net says weights: for the given 'master'"),
        ("do: embed, of: before, split: test", "do: evaluate, of: before, protocols: [knn5, linear_moko]",
         "there is no protocol 'linear_moko'"),
        ("do: embed, of: before, split: test", "do: evaluate, of: before, protocols: [linear_moco --set epochs]",
         "linear_moco --set epochs: 'epochs' is no change; write a path, an equals sign and a value"),
        ("do: embed, of: before, split: test", "do: evaluate, of: before, protocols: [mine.yaml]",
         "there is no such file"),
        ("do: embed, of: before, split: test", "do: evaluate, of: before, protocols: knn5", "protocols: must be"),
        ("of: before, split", "of: last}\n  last: {do: embed, of: before, split", "'last', which trains nothing"),
        ("recipe: before.yaml", "recipe: other.yaml", "there is no such file"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_pipeline_is_said_at_its_place(old: str, new: str, message: str, here: Path) -> None:
    (here / "three.yaml").write_text(PIPELINE.replace(old, new))
    with pytest.raises(SpecError) as refused:
        plan("three.yaml")
    assert message in str(refused.value) and ".yaml" in str(refused.value)


def test_an_evaluation_takes_the_protocols_that_it_names_those_of_papers_too(here: Path, sslgraph: Command) -> None:
    (here / "three.yaml").write_text(
        "pipeline: Two\nstages:\n  before: {do: train, recipe: before.yaml}\n"
        "  told: {do: evaluate, of: before, protocols: [knn5, linear_moco --set epochs=1]}\n"
    )
    assert sslgraph("run", "three.yaml").code == 0
    (file,) = (here / "runs").glob("three/told-*/evaluation.json")
    assert list(json.loads(file.read_text())["trained"]) == ["knn5", "linear_moco --set epochs=1"]


def test_weights_that_do_not_fit_are_found_before_anything_runs(here: Path, sslgraph: Command) -> None:
    narrow = PIPELINE.replace("    labels: 50 %", "    labels: 50 %\n").replace(
        "set: {views.x.size: 8, batch: 10,",
        "set: {nets.f: {use: backbones.resnet, depth: 10, weights: {from: $encoder, except: [fc]}}, batch: 10,",
    )
    (here / "three.yaml").write_text(narrow)
    said = sslgraph("run", "three.yaml")
    assert said.code == 1 and "stage 'tuned': " in said.err and "there and [64, 3, 7, 7] in 'f'" in said.err
    assert not (here / "runs").exists()


def test_paths_start_in_the_folder_of_the_text_and_a_run_from_elsewhere_is_taken(
    here: Path, sslgraph: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sslgraph("train", "before.yaml", "--out", "earlier/run").code == 0
    (here / "three.yaml").write_text(
        "pipeline: One\nstages:\n  rows: {do: embed, of: earlier/run, split: test}\n"
        "  out: {do: export, of: earlier/run}\n"
    )
    (here / "aside").mkdir()
    monkeypatch.chdir(here / "aside")
    said = sslgraph("run", "../three.yaml")
    assert said.code == 0, said.err
    assert [path.name for path in sorted(here.glob("aside/runs/three/*/*"))] == [
        "done.json", "export", "done.json", "features.parquet"
    ]  # fmt: skip


def test_a_stage_that_wrote_nothing_leaves_no_folder(here: Path, sslgraph: Command) -> None:
    (here / "empty").mkdir()
    said = sslgraph("run", "three.yaml", "--data", "empty", "--out", "made")
    assert said.code == 1 and "empty has no images" in said.err and not (here / "made").exists()


@pytest.mark.usefixtures("here")
def test_unknown_stages_of_a_command_line_are_refused(sslgraph: Command) -> None:
    said = sslgraph("run", "three.yaml", "--only", "tune")
    assert said.err.startswith("--only: there is no stage 'tune'") and said.out == ""  # before anything is checked
    assert "there is no stage 'tune'" in sslgraph("run", "three.yaml", "--only", "tune", "--dry").err
    assert "do: embed has no setting 'x'" in sslgraph("run", "three.yaml", "--set", "rows.x=1").err
    assert "there is no stage 'row'" in sslgraph("run", "three.yaml", "--set", "row.split=train").err
    assert "waits for before" in sslgraph("run", "three.yaml", "--only", "rows").err


def test_a_damaged_marker_is_none(tmp_path: Path) -> None:
    (tmp_path / artefact.MARKER).write_text("{")
    assert artefact.done(tmp_path) is None


@pytest.mark.slow
def test_the_shipped_pipeline_survives_kills_at_any_moment(tmp_path: Path) -> None:
    """The whole of it at toy size; every start but the last is killed after some seconds."""
    words = ["run", "simclr_v2", "--out", str(tmp_path)]
    for change in ("*.epochs=1", "*.data.images=200", "*.data.test_images=60", "*.batch=10", "fine_tune_1.labels=10",
                   "*.checkpoint.every=5 steps"):  # fmt: skip
        words += ["--set", change]
    command = [sys.executable, "-m", "sslgraph", *words]
    for seconds in (25, 30, 40):
        with subprocess.Popen(command, cwd=home.ROOT, start_new_session=True, stdout=subprocess.DEVNULL) as started:
            time.sleep(seconds)
            os.killpg(started.pid, signal.SIGKILL)
    subprocess.run(command, cwd=home.ROOT, check=True)
    found = {path.parent.name.rpartition("-")[0]: json.loads(path.read_text()) for path in tmp_path.glob("*/done.json")}
    text = yaml.safe_load((home.SPECS / "pipelines/simclr_v2.yaml").read_text())
    assert set(found) == set(text["stages"])
    assert 0 <= found["distil"]["accuracy"] <= 1 and found["evaluate"]["do"] == "evaluate"
