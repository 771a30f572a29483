"""The last lines of a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sslgraph.pipelines.train import ending


def run_with(folder: Path, accuracies: dict[int, float]) -> Path:
    lines = [json.dumps({"step": step, "knn": value}) for step, value in accuracies.items()]
    (folder / "metrics.jsonl").write_text("\n".join([json.dumps({"step": 1, "loss": 2.0}), *lines]) + "\n")
    return folder


def test_the_last_and_the_best_accuracy_are_said_with_the_time(tmp_path: Path) -> None:
    folder = run_with(tmp_path, {10: 0.3, 20: 0.45, 30: 0.45, 40: 0.443})
    measures = {"knn": 0.443, "knn_random_encoder": 0.288, "knn_pixels": 0.397}
    assert ending.words(folder, {"steps": 40, "measures": measures}, 247.2) == [
        "kNN 44.3 % at the end, best 45.0 % at step 20 (random encoder 28.8 %, raw pixels 39.7 %); took 4:07"
    ]


@pytest.mark.parametrize("last", [0.162, 0.184])
def test_a_run_that_ends_no_better_than_its_random_encoder_says_so(tmp_path: Path, last: float) -> None:
    measures = {"knn": last, "knn_random_encoder": 0.184}
    _, said = ending.words(run_with(tmp_path, {10: last}), {"steps": 10, "measures": measures}, 60)
    assert said.startswith(f"The encoder ends no better than it began: kNN {100 * last:.1f} %, before training 18.4 %.")
    assert "What usually helps: more epochs" in said


def test_what_the_recipe_expects_stands_last_in_place_of_other_advice(tmp_path: Path) -> None:
    measures = {"knn": 0.1, "knn_random_encoder": 0.184}
    summary = {"steps": 10, "measures": measures, "expect": "In so short a run it learns nothing."}
    assert ending.words(run_with(tmp_path, {10: 0.1}), summary, 60)[1:] == [
        "The encoder ends no better than it began: kNN 10.0 %, before training 18.4 %.",
        "What to expect: In so short a run it learns nothing.",
    ]


def test_a_run_that_measured_nothing_says_how_long_it_took(tmp_path: Path) -> None:
    assert ending.words(tmp_path, {"steps": 10, "measures": {}}, 61) == ["took 1:01"]
