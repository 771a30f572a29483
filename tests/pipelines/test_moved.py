"""A run is evaluated, reported and continued from anywhere, and where its images have moved, with --data."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import Command
from command import sslgraph as sslgraph
from PIL import Image

RECIPE = """
recipe: moved
method: simclr
data: {use: sources.image_folder, path: pictures}
batch: 8
steps: 2
optimizer: {use: sgd, lr: 0.1, momentum: 0.9, weight_decay: 0}
evaluate: {}
monitor: null
set: {nets.f.depth: 10, nets.f.width: 4, nets.f.stem: small, nets.g.hidden: [8], nets.g.out: 4, views.x.size: 16}
"""


@pytest.fixture
def run(tmp_path: Path, sslgraph: Command, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of a recipe beside its pictures, started from another folder."""
    for c in range(2):
        inside = tmp_path / "texts" / "pictures" / f"class{c}"
        inside.mkdir(parents=True)
        for i in range(10):
            Image.new("RGB", (16, 16), (90 + 80 * c, 9 * i, 0)).save(inside / f"{i}.png")
    (tmp_path / "texts" / "recipe.yaml").write_text(RECIPE)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    said = sslgraph("train", "../texts/recipe.yaml", "--out", "run")
    assert said.code == 0, said.err
    return tmp_path / "here" / "run"


def test_a_run_is_measured_and_continued_from_anywhere(
    run: Path, sslgraph: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert f"path: {tmp_path}/texts/pictures" in (run / "resolved.yaml").read_text()
    for words in (["evaluate", str(run)], ["train", "--resume", str(run)], ["report", str(run)]):
        said = sslgraph(*words)
        assert said.code == 0, said.err


def test_images_that_moved_are_given_by_data_and_others_are_refused(
    run: Path, sslgraph: Command, tmp_path: Path
) -> None:
    moved = (tmp_path / "texts" / "pictures").rename(tmp_path / "moved")
    gone = sslgraph("train", "--resume", "run")
    assert gone.code == 1 and "texts/pictures does not exist" in gone.err
    for words in (["evaluate", "run"], ["train", "--resume", "run"], ["report", "run"]):
        said = sslgraph(*words, "--data", "../moved")
        assert said.code == 0, said.err
    (moved / "class0" / "0.png").unlink()
    (run / "summary.json").unlink()
    other = sslgraph("train", "--resume", "run", "--data", "../moved")
    assert other.code == 1 and "was trained on other images" in other.err
