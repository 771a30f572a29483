"""Searches on real Ray: trials are runs, refused ones never train, and a search that was killed goes on."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from statistics import mean, stdev

import pytest
from command import Command
from command import sslgraph as sslgraph
from soak import orphans
from tiny_recipe import RECIPE

from sslgraph.pipelines.launch import launch
from sslgraph.pipelines.search.search import _stop, outcomes, shared_of
from sslgraph.pipelines.search.search_page import lines, write
from sslgraph.pipelines.search.tried import Outcome, run

ROOT = Path(__file__).parents[3]
SPACE = """
search: Small
maximize: knn
numbers:
  lr: {log: [1e-3, 1e-1]}
structure:
  - remove: nets.g
  - swap: {losses.*: losses.cosine_regression}
"""
LONG = RECIPE.replace("steps: 2", "steps: 300\ncheckpoint: {every: 10 steps}")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "tiny.yaml").write_text(RECIPE)
    (tmp_path / "long.yaml").write_text(LONG)
    (tmp_path / "space.yaml").write_text(SPACE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("here")
def test_a_trial_is_a_run_and_is_done_once() -> None:
    shared = shared_of("tiny.yaml", "space.yaml", say=lambda _: None)
    point = (0.05, 0, 0)
    value = run(shared, point)
    folder = shared.place("lr = 0.05")
    found = json.loads((folder / "trial.json").read_text())
    assert (found["state"], found["value"], found["words"]) == ("done", value, "lr = 0.05")
    summary = json.loads((folder / "summary.json").read_text())
    assert value == summary["measures"]["knn_train"] and found["figures"]["knn"] == summary["measures"]["knn"]
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert run(shared, point) == value
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == times


@pytest.mark.usefixtures("here")
def test_of_several_seeds_a_trial_has_the_mean_and_the_spread() -> None:
    shared = shared_of("tiny.yaml", "space.yaml", seeds=(3, 4), say=lambda _: None)
    value = run(shared, (0.05, 0, 0))
    folder = shared.place("lr = 0.05")
    measured = [json.loads((folder / f"seed{seed}" / "summary.json").read_text())["measures"] for seed in (3, 4)]
    found = json.loads((folder / "trial.json").read_text())
    each = [one["knn_train"] for one in measured]
    assert value == found["value"] == pytest.approx(mean(each)) and found["spread"] == pytest.approx(stdev(each))
    assert found["figures"]["knn"] == pytest.approx(mean(one["knn"] for one in measured))
    texts = [(folder / f"seed{seed}" / "resolved.yaml").read_text() for seed in (3, 4)]
    assert "seed: 3" in texts[0] and "seed: 4" in texts[1]
    (line,) = lines(shared, outcomes(shared))
    assert " ± " in line[1]
    write(shared, outcomes(shared))
    assert "holds the runs of 2 seeds, whose mean is shown" in (shared.folder / "report.html").read_text()


@pytest.mark.usefixtures("here")
def test_a_seed_whose_measure_is_no_number_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {3: 0.5, 4: float("nan")}
    monkeypatch.setattr(
        launch, "launch", lambda asked: {"measures": {"knn_train": values[asked["overrides"]["seed"]], "knn": 0.25}}
    )
    shared = shared_of("tiny.yaml", "space.yaml", seeds=(3, 4), say=lambda _: None)
    assert run(shared, (0.05, 0, 0)) is None
    (found,) = outcomes(shared)
    assert (found.state, found.why, found.figures) == ("failed", "knn was not measured", {"knn": 0.25})


@pytest.mark.usefixtures("here")
def test_only_the_seed_that_runs_is_asked_to_stop() -> None:
    shared = shared_of("tiny.yaml", "space.yaml", seeds=(3, 4, 5), say=lambda _: None)
    folder = shared.place("lr = 0.05")
    for seed, files in ((3, {"summary.json": '{"steps": 2}'}), (4, {})):
        (folder / f"seed{seed}").mkdir(parents=True)
        for name, text in files.items():
            (folder / f"seed{seed}" / name).write_text(text)
    begun = {"words": "lr = 0.05", "point": [0.05, 0, 0], "state": "begun"}
    (folder / "trial.json").write_text(json.dumps(begun))
    _stop(shared)
    assert list(shared.folder.rglob("stop")) == [folder / "seed4" / "stop"] and not (folder / "seed5").exists()


@pytest.mark.usefixtures("here")
def test_a_trial_that_is_no_method_is_refused_and_never_trains() -> None:
    """SimCLR's loss takes one bag; a regression takes two values."""
    shared = shared_of("tiny.yaml", "space.yaml", say=lambda _: None)
    assert run(shared, (0.05, 0, 1)) is None
    (found,) = outcomes(shared)
    assert found.state == "refused" and "losses.cosine_regression" in found.why
    folder = shared.place(found.words)
    assert {path.name for path in folder.iterdir()} == {"trial.json", "trial.yaml", "trial.log"}


@pytest.mark.usefixtures("here")
def test_the_table_is_keyed_by_the_difference_and_the_page_draws_every_axis() -> None:
    shared = shared_of("tiny.yaml", "space.yaml", say=lambda _: None)
    found = [
        Outcome("the base", None, "done", 0.30, {"knn_train": 0.30, "knn": 0.25}),
        Outcome("lr = 0.05", (0.05, 0, 0), "done", 0.40, {"knn_train": 0.40, "knn": 0.20}),
        Outcome("without nets.g; lr = 0.002", (0.002, 1, 0), "done", 0.35, {"knn_train": 0.35, "knn": 0.30}),
        Outcome("losses.* is losses.cosine_regression; lr = 0.01", (0.01, 0, 1), "refused", why="is no method"),
    ]
    shared.folder.mkdir(parents=True)
    write(shared, found)
    rows = list(csv.DictReader((shared.folder / "table.csv").read_text().splitlines()))
    assert [row["differs from the base"] for row in rows] == [one.words for one in found]
    assert [row["knn_train"] for row in rows] == ["0.3", "0.4", "0.35", ""]
    page = (shared.folder / "report.html").read_text()
    assert page.count("<svg") >= 4 and "is no method" in page
    table = page[page.index("Every trial") : page.index("Trials without a value")]
    assert table.index("lr = 0.05") < table.index("without nets.g") < table.rindex("the base")
    assert "40.0 %" in table and "20.0 %" in table


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("tiny.yaml", "--space", "no.yaml"), "no.yaml: there is no such file"),
        (("tiny.yaml", "--space", "space.yaml", "--trials", "0"), "--trials 0 would run nothing"),
        (("tiny.yaml", "--space", "space.yaml", "--at-once", "0"), "--at-once 0 would run nothing"),
        (
            ("tiny.yaml", "--space", "space.yaml", "--searcher", "tree"),
            "--searcher tree: there are: grid, optuna, random",
        ),
        (
            ("tiny.yaml", "--space", "space.yaml", "--searcher", "grid", "--out", "new"),
            "--searcher grid tries every point, and 'lr' lies between two numbers; write lists of values",
        ),
        (("tiny.yaml", "--space", "space.yaml", "--seeds", "0,0"), "--seeds 0,0: write different whole numbers"),
        (("no_method", "--space", "space.yaml"), "there is no recipe or method 'no_method'"),
        (("tiny.yaml", "--space", "tiny.yaml"), "unknown key"),
        (("tiny.yaml", "--space", "space.yaml", "--out", "taken"), "taken is not empty and holds no search"),
    ],
)
def test_a_wrong_wish_is_one_sentence_and_leaves_nothing(
    here: Path, sslgraph: Command, words: tuple[str, ...], message: str
) -> None:
    (here / "taken").mkdir()
    (here / "taken" / "mine.txt").touch()
    before = sorted(here.rglob("*"))
    told = sslgraph("search", *words)
    assert told.code == 1 and message in told.err and "Traceback" not in told.err
    assert sorted(here.rglob("*")) == before


@pytest.mark.slow
@pytest.mark.ray
def test_a_grid_tries_every_point_with_every_seed(here: Path, sslgraph: Command) -> None:
    (here / "grid.yaml").write_text("search: Grid\nmaximize: knn\nnumbers: {lr: [0.01, 0.1], batch: [4, 8]}\n")
    words = ("search", "tiny.yaml", "--space", "grid.yaml", "--out", "found", "--searcher", "grid", "--seeds", "0,1")
    told = sslgraph(*words, "--trials", "1")
    assert told.code == 0, told.err
    shared = shared_of("tiny.yaml", "grid.yaml", "found", seeds=(0, 1), say=lambda _: None)
    found = outcomes(shared)
    assert {one.point for one in found} == {None, (0, 0), (0, 1), (1, 0), (1, 1)}
    assert all(one.spread is not None for one in found) and told.out.count(" ± ") == 5
    other = sslgraph(*words[:-1], "0,1,2")
    assert other.code == 1 and "holds a search of another list of seeds" in other.err


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.parametrize("searcher", ["random", "optuna"])
def test_a_search_runs_trials_on_ray_and_goes_on_with_more_of_them(
    here: Path, sslgraph: Command, searcher: str
) -> None:
    if searcher == "optuna":
        pytest.importorskip("optuna")
    words = ("search", "tiny.yaml", "--space", "space.yaml", "--out", "found", "--searcher", searcher, "--at-once", "2")
    first = sslgraph(*words, "--trials", "3")
    assert first.code == 0, first.err
    shared = shared_of("tiny.yaml", "space.yaml", "found", say=lambda _: None)
    before = outcomes(shared)
    assert len(before) == 4 and {one.state for one in before} <= {"done", "refused"}
    assert "the base" in first.out and "kNN, test" in first.out and "+--" not in first.out
    more = sslgraph(*words, "--trials", "5")
    assert more.code == 0 and "3 trials done before" in more.out, more.err
    after = {one.words: one for one in outcomes(shared)}
    assert len(after) == 6 and all(after[one.words] == one for one in before)
    again = sslgraph(*words, "--trials", "5")
    assert again.code == 0 and {one.words: one for one in outcomes(shared)} == after
    (here / "space.yaml").write_text(SPACE.replace("1e-3", "1e-2"))
    other = sslgraph(*words, "--trials", "5")
    assert other.code == 1 and "holds a search of another space" in other.err


@pytest.mark.slow
@pytest.mark.ray
def test_a_search_without_labels_looks_at_features_alone(here: Path, sslgraph: Command) -> None:
    (here / "space.yaml").write_text("search: S\nmaximize: health.rankme\nnumbers: {lr: [1e-3, 1e-1]}\n")
    told = sslgraph("search", "tiny.yaml", "--space", "space.yaml", "--out", "found", "--trials", "9")
    assert told.code == 0 and "the space has 2 points" in told.out, told.err
    found = outcomes(shared_of("tiny.yaml", "space.yaml", "found", say=lambda _: None))
    assert len(found) == 3 and all(one.value == one.figures["health.rankme"] > 0 for one in found)


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_search_that_is_ended_goes_on_where_it_was(here: Path, sslgraph: Command, how: signal.Signals) -> None:
    """Trials that were finished stay as they are; the one that ran goes on at its checkpoint, step after step."""
    words = ["search", "long.yaml", "--space", "space.yaml", "--out", "found", "--trials", "2", "--searcher", "random"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    started = subprocess.Popen([sys.executable, "-m", "sslgraph", *words], env=environment, start_new_session=True)
    end = time.monotonic() + 900
    while not list(here.glob("found/trial-*/checkpoints/step_0000002*")):
        assert time.monotonic() < end and started.poll() is None
        time.sleep(0.05)
    if how == signal.SIGKILL:
        os.killpg(started.pid, how)
    else:
        os.kill(started.pid, how)
    assert started.wait(timeout=600) != 0
    if how == signal.SIGTERM:
        assert any(here.glob("found/trial-*/checkpoints/step_*")) and not list(here.glob("found/**/stop"))
    while orphans(here):  # workers of a driver that was killed end within seconds
        assert time.monotonic() < end
        time.sleep(0.2)
    kept = {path: path.read_bytes() for path in here.glob("found/*/trial.json") if b'"done"' in path.read_bytes()}
    assert len(kept) == 1  # the base
    told = sslgraph(*words)
    assert told.code == 0, told.err
    assert all(path.read_bytes() == text for path, text in kept.items())
    found = outcomes(shared_of("long.yaml", "space.yaml", "found", say=lambda _: None))
    assert len(found) == 3 and not any(one.state == "begun" for one in found)
    for folder in here.glob("found/trial-*"):
        if (folder / "metrics.jsonl").is_file():
            steps = [json.loads(line)["step"] for line in (folder / "metrics.jsonl").read_text().splitlines()]
            assert [step for step in steps if step] == list(range(1, 301))


def test_the_example_of_the_docs_fits_its_method(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every number and every way of every change of the example makes a text; all but one alone are methods."""
    text = (ROOT / "docs" / "using.md").read_text().partition("```yaml\nsearch:")[2].partition("```")[0]
    (tmp_path / "space.yaml").write_text(f"search:{text}")
    monkeypatch.chdir(tmp_path)
    shared = shared_of("simsiam", "space.yaml", say=lambda _: None)
    assert [len(some.ways) for some in shared.space.variants] == [1, 1, 2]
    for i in range(3):
        for way in range(1, len(shared.space.variants[i].ways) + 1):
            choices = [0.0, 0.0, 0.0]
            choices[i] = way
            shared.sound((0.002, 0, *choices))


def test_a_methods_bare_name_takes_what_is_set_of_its_recipe(here: Path) -> None:
    (here / "lr.yaml").write_text("search: Rate\nmaximize: knn\nnumbers:\n  lr: {log: [1e-3, 1e-1]}\n")
    given = {"steps": 2, "epochs": None, "data.images": 300}
    shared = shared_of("simsiam", "lr.yaml", overrides=given, say=lambda _: None)
    assert "steps: 2" in shared.text((0.01,)) and "images: 300" in shared.text((0.01,))
