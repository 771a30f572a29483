"""The short options of training, several seeds, and run folders in the place of specs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml
from command import Command
from command import sslgraph as sslgraph
from tiny_recipe import RECIPE

from sslgraph.pipelines.evaluate.protocols import Given
from sslgraph.pipelines.measure.knn import knn


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    Path("tiny.yaml").write_text(RECIPE)
    return tmp_path


def nearest_alone(_: object, given: Given) -> Iterator[tuple[str, dict[str, Any], str]]:
    """The measure that takes no time."""
    yield "knn20", asdict(knn(given.bank, given.queries, k=1, temperature=0.1)), ""


def test_seeds_train_a_run_each_and_are_one_row_of_an_evaluation(
    sslgraph: Command, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sslgraph.pipelines.evaluate.protocols.measures", nearest_alone)
    shortcuts = ("--batch", "4", "--limit", "16", "--lr", "0.02", "--device", "cpu")
    said = sslgraph("train", "tiny.yaml", "--seeds", "1, 2", "--out", "run", *shortcuts)
    places = [f"{here}/run-seed1", f"{here}/run-seed2"]
    assert said.code == 0, said.err
    assert said.out.endswith(f"Next: sslgraph evaluate {' '.join(places)} | sslgraph report {' '.join(places)}\n")
    for seed in (1, 2):
        text = yaml.safe_load(Path(f"run-seed{seed}/resolved.yaml").read_text())
        assert (text["seed"], text["batch"], text["data"]["limit"], text["optimizer"]["lr"]) == (seed, 4, 16, 0.02)
    said = sslgraph("evaluate", *places)
    assert said.code == 0 and "run-seed1  2 seeds" in said.out and said.out.count(" ± ") == 2, said
    for command in ("draw", "diff", "show", "views"):
        words = (command, "run-seed1", *(["simclr"] if command == "diff" else []))
        said = sslgraph(*words)
        assert said.code == 0, (words, said.err)
    assert Path("run-seed1.svg").is_file()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--seeds", "1,one"), "--seeds 1,one: write different whole numbers with commas between, such as 0,1,2"),
        (("--seeds", "1,1"), "--seeds 1,1: write different whole numbers with commas between, such as 0,1,2"),
        (("--seeds", "1,2", "--seed", "3"), "--seeds trains new runs; leave --seed and --resume out"),
        (("--device", "gpu"), "--device gpu is no device; write cpu, cuda or cuda:NUMBER"),
        (
            ("--device", "cpu", "--workers", "2"),
            "--device cpu is for one process; Ray gives each of --workers 2 its own",
        ),
        (("--set", "batch=0"), "--set batch: batch must be 1 or more, not 0"),
    ],
)
def test_what_can_not_be_is_one_line_and_no_folder_is_left(
    words: tuple[str, ...], message: str, sslgraph: Command, here: Path
) -> None:
    said = sslgraph("train", "tiny.yaml", "--out", "run", *words)
    assert (said.code, said.err) == (1, f"{message}\n")
    assert [path.name for path in here.iterdir()] == ["tiny.yaml"]


@pytest.mark.parametrize("words", [("--batch", "0"), ("--epochs", "0"), ("--limit", "0"), ("--seed", "-1")])
def test_a_number_that_no_run_can_have_is_refused_by_the_name_of_its_option(
    words: tuple[str, str], sslgraph: Command, here: Path
) -> None:
    said = sslgraph("train", "tiny.yaml", "--out", "run", *words)
    assert said.code == 2 and f"Invalid value for '{words[0]}'" in said.err
    assert [path.name for path in here.iterdir()] == ["tiny.yaml"]


def test_what_is_no_run_is_refused_before_any_is_measured(sslgraph: Command, here: Path) -> None:
    assert sslgraph("train", "tiny.yaml", "--out", "run").code == 0
    said = sslgraph("evaluate", "run", "tiny.yaml")
    assert said.code == 1 and said.out == "" and said.err.startswith("tiny.yaml is no run folder")
    assert not (here / "run/evaluation.json").exists()
    said = sslgraph("evaluate", "run", "./run")
    assert said.code == 1 and said.err == "run and ./run are one run, and not two seeds; name each run once\n"
    (here / "run").rename(here / "moved")
    said = sslgraph("train", "--resume", "moved")
    assert said.code == 0 and f"done: {here / 'moved'}\n" in said.out, said
