"""Runs that differ in their seed alone are one row, with mean and spread; the others say in what they differ."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from sslgraph.pipelines.evaluate.evaluation import Evaluation
from sslgraph.pipelines.evaluate.several import alike, differences, grouped, table


def test_seeds_are_grouped_and_others_told_apart(tmp_path: Path) -> None:
    texts = {"a": "batch: 8\nseed: 0\n", "b": "batch: 16\n", "c": "batch: 8\nseed: 1\n"}
    folders, found = [], []
    for (name, text), accuracy in zip(texts.items(), (0.4, 0.7, 0.6), strict=True):
        (tmp_path / name).mkdir()
        (tmp_path / name / "resolved.yaml").write_text(text)
        trained = {"knn20": {"accuracy": accuracy}, "health": {"rankme": 100 * accuracy}}
        found.append(Evaluation("M", 1, 1, 1, "random encoder", trained=trained))
        folders.append(tmp_path / name)
    groups = grouped(folders, found)
    assert [[folder.name for folder in group.folders] for group in groups] == [["a", "c"], ["b"]]
    assert list(alike(list(texts.values())).values()) == [[0, 2], [1]]
    assert differences(groups) == ["a against", "b: batch was 8, and is 16 here"]
    assert differences(groups[:1]) == []
    console = Console(width=120)
    with console.capture() as shown:
        console.print(table(groups))
    rows = [line.split() for line in shown.get().splitlines()]
    assert rows[1:5] == [
        ["knn20", "accuracy", "a", "2", "seeds", "50.0", "±", "14.1", "%", "-"],
        ["b", "1", "seed", "70.0", "%", "-"],
        ["health", "RankMe", "a", "2", "seeds", "50", "±", "14", "-"],
        ["b", "1", "seed", "70", "-"],
    ]
