"""The table of evaluated runs: seeds are one row, files of either form count, and what was cut off is a dash."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.results import HEAD, rows


def run(folder: Path, recipe: str, **encoders: dict[str, object]) -> Path:
    folder.mkdir()
    found = {"trained": {}, "random": {}, "pixels": {}} | encoders
    (folder / "evaluation.json").write_text(json.dumps(found))
    (folder / "summary.json").write_text(json.dumps({"recipe": recipe}))
    return folder


def test_seeds_are_one_row_whatever_the_form_of_their_files(tmp_path: Path) -> None:
    def share_of(share: float) -> dict[str, float]:
        return {"accuracy": share}

    folders = [
        run(
            tmp_path / "new",
            "demo/a",
            trained={"knn20": share_of(0.4), "linear": share_of(0.7)},
            pixels={"knn20": share_of(0.2)},
        ),
        run(tmp_path / "old", "demo/a", trained={"knn": share_of(0.6), "probe": share_of(0.7)}, random={"knn": None}),
        tmp_path,
    ]
    assert rows(folders) == ["| demo/a | 2 | 50.0 (40.0-60.0) | - | 20.0 | 70.0 (70.0-70.0) | - | - |"]
    assert HEAD.splitlines()[0].count("|") == rows(folders)[0].count("|")
