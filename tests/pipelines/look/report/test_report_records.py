"""What is read back from a run folder, and what it is taken for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from report_run import rewrite

from sslgraph.errors import SslgraphError
from sslgraph.pipelines.look.report.curves import planned
from sslgraph.pipelines.look.report.records import read, short


def noted(run: Path, *lines: dict[str, Any] | str) -> None:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    (run / "metrics.jsonl").write_text("".join(f"{text}\n" for text in texts))


def test_a_real_run_is_read_by_kind(the_run: Path) -> None:
    record = read(the_run)
    assert list(record.losses) == ["contrast"] and [x for x, _ in record.losses["contrast"]] == list(range(1, 13))
    assert set(record.schedules) == {"lr", "weight_decay"} and set(record.whole) == {"gradient_norm"}
    assert [x for x, _ in record.knn] == [6, 12] and set(record.beside) == {"random encoder", "pixels"}
    assert record.steps == 12 and record.checkpoint is not None and record.checkpoint.name == "step_00000012"
    (start,) = record.starts
    assert start["images"] == 96 and start["steps_per_epoch"] == 6 and start["total_steps"] == 12


def test_monitors_are_grouped_by_measure_and_named_by_their_edge(a_run: Path) -> None:
    first = {"step": 1, "contrast": 1.0, "monitor/f.x1/std": 0.1, "monitor/f.x1/rank": 3, "g/std": 0.2, "drift": 7}
    noted(a_run, first, {"step": 2, "monitor/f.x1/std": 0.3})
    record = read(a_run)
    assert record.monitors == {"std": {"f.x1": [(1, 0.1), (2, 0.3)], "g": [(1, 0.2)]}, "rank": {"f.x1": [(1, 3.0)]}}
    assert record.whole == {"drift": [(1, 7.0)]}


def test_a_half_written_line_and_what_is_no_number_are_left_out(a_run: Path) -> None:
    noted(a_run, {"step": 1, "contrast": None}, {"step": 2, "contrast": 4.0}, '{"step": 3, "contr')
    assert read(a_run).losses == {"contrast": [(2, 4.0)]}


def test_a_step_recorded_again_after_a_resume_counts_once(a_run: Path) -> None:
    noted(a_run, {"step": 2, "contrast": 4.0}, {"step": 1, "contrast": 5.0}, {"step": 2, "contrast": 3.0})
    assert read(a_run).losses == {"contrast": [(1, 5.0), (2, 3.0)]}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["cifar10-small-simclr-0", "cifar10-small-byol-0"], ["simclr", "byol"]),
        (["a-simclr-0", "a-simclr-1"], ["0", "1"]),
        (["simclr", "byol"], ["simclr", "byol"]),
        (["run-a", "run-a-b"], ["run-a", "run-a-b"]),
        (["only-one"], ["only-one"]),
    ],
)
def test_runs_are_named_by_what_their_folders_differ_in(names: list[str], expected: list[str]) -> None:
    assert short([Path("runs") / name for name in names]) == expected


def test_runs_of_one_name_are_numbered() -> None:
    assert short([Path("a/run"), Path("b/run")]) == ["1: run", "2: run"]


def test_what_the_spec_plans_is_followed_step_by_step(a_run: Path) -> None:
    text = (a_run / "resolved.yaml").read_text()
    assert "temperature: 0.2" in text
    rewrite(a_run, text.replace("temperature: 0.2", "temperature: {linear: [0.0, 1.1]}"))
    assert planned(read(a_run)) == {"contrast.temperature": [(i, pytest.approx(1.1 * i / 12)) for i in range(12)]}
    (a_run / "starts.jsonl").unlink()
    assert planned(read(a_run)) == {}


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SslgraphError, match="is no run folder: there is no such folder; give the folder"):
        read(tmp_path / "gone")
    with pytest.raises(SslgraphError, match=r"there is no resolved\.yaml in it"):
        read(tmp_path)
