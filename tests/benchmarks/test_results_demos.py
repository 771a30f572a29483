"""The table of demos: a method is measured as its family is judged, seeds are one row, and what is there is kept."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from benchmarks import results_demos
from benchmarks.results_demos import HEAD, main, row, table


def ended(folder: Path, knn: float, probe: float | None = None) -> Path:
    folder.mkdir(parents=True)
    measures = {"knn": knn, "knn_random_encoder": 0.2, "knn_pixels": 0.1}
    (folder / "summary.json").write_text(json.dumps({"measures": measures}))
    (folder / "processor_time.json").write_text("90")
    if probe is not None:
        one = {"linear": {"accuracy": probe}}
        (folder / "evaluation.json").write_text(json.dumps({"trained": one, "random": one, "pixels": one}))
    return folder


def test_means_and_the_lowest_and_the_highest_stand_in_a_row() -> None:
    runs = [(40.0, 20.0, 10.0), (60.0, 22.0, 10.0)]
    assert row("A", "kNN", runs, [60, 120]) == "| A | kNN | 2 | 50.0 (40.0-60.0) | 21.0 | 10.0 | 1.5 |"
    assert row("A", "kNN", runs[:1], []) == "| A | kNN | 1 | 40.0 | 20.0 | 10.0 | - |"
    assert row("A", "kNN", runs, []).count("|") == HEAD.splitlines()[0].count("|")


def test_what_paints_or_solves_a_puzzle_is_judged_by_the_probe(tmp_path: Path) -> None:
    ended(tmp_path / "simclr-0", 0.6, 0.9)
    ended(tmp_path / "mae-0", 0.6, 0.9)
    ended(tmp_path / "rotation-0", 0.6)  # its evaluation is not there yet
    assert table(["simclr", "mae", "rotation", "byol"], [0, 1], tmp_path) == [
        "| SimCLR | kNN | 1 | 60.0 | 20.0 | 10.0 | 1.5 |",
        "| MAE | probe | 1 | 90.0 | 90.0 | 90.0 | 1.5 |",
    ]


def test_what_is_there_is_not_trained_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ended(tmp_path / "simclr-0", 0.6)
    asked: list[list[str]] = []

    def trained(command: list[str], **_: Any) -> None:
        asked.append(command[3:])
        ended(tmp_path / "simclr-1", 0.4)

    monkeypatch.setattr(subprocess, "run", trained)
    main(["simclr", "--seeds", "0,1", "--out", str(tmp_path)])
    assert asked == [["train", "demo/simclr", "--seed", "1", "--out", str(tmp_path / "simclr-1")]]
    assert "| SimCLR | kNN | 2 | 50.0 (40.0-60.0) | 20.0 | 10.0 |" in capsys.readouterr().out
    assert results_demos.measured(tmp_path / "nothing", by_probe=False) is None
