"""The record read back: what is garbled is left out, and what is missing is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from sslgraph.pipelines.storage import metrics_file


@pytest.mark.parametrize(
    "line",
    ["", '{"step": 7, "loss": 0.', '{"step": 7, "loss": \x00\x00}', '"step"', "7", "[7]", '{"loss": 1}',
     '{"step": "7"}', '{"step": 7}{"step": 8}'],
)  # fmt: skip
def test_what_is_no_line_of_a_record_is_left_out(line: str) -> None:
    assert metrics_file.parsed(line) is None


def test_a_file_with_bytes_that_are_no_text_gives_its_other_lines(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_bytes(b'{"step": 1}\n{"step": \xff}\n{"step": 3}\n{"st')
    assert [line["step"] for line in metrics_file.lines(tmp_path)] == [1, 3]
    assert metrics_file.last_step(tmp_path) == 3
    assert [*metrics_file.lines(tmp_path / "gone")] == [] and metrics_file.last_step(tmp_path / "gone") == 0


@pytest.mark.parametrize(
    ("there", "words"),
    [
        (range(1, 11), ""),
        ([], "1-10"),
        ([2, 3, 4, 5, 6, 7, 8, 9], "1, 10"),
        ([1, 2, 5, 6, 8, 9, 10, 11], "3-4, 7"),
        (range(2, 12, 2), "1, 3, 5, 7, 9"),
    ],
)
def test_steps_without_a_line_are_named(tmp_path: Path, there: list[int], words: str) -> None:
    lines = [f'{{"step": {step}, "gradient_norm": 1.0}}\n' for step in there]
    (tmp_path / "metrics.jsonl").write_text("".join(lines) + '{"step": 4, "knn": 0.5}\n')
    assert metrics_file.missing(tmp_path, 10) == words


def test_many_holes_are_counted(tmp_path: Path) -> None:
    assert metrics_file.missing(tmp_path, 3) == "1-3"
    (tmp_path / "metrics.jsonl").write_text("".join(f'{{"step": {2 * i}, "gradient_norm": 1}}\n' for i in range(1, 10)))
    assert metrics_file.missing(tmp_path, 18) == "1, 3, 5, 7, 9 and 4 more stretches"
