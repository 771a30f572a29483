"""Input that a pretext task can't be asked of ends in one clear sentence, and nothing is left half written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from command import Command
from command import sslgraph as sslgraph
from PIL import Image


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("demo/mae", "views.x.size=2"), "patches of 4 pixels do not divide 2 x 2; .* 4 at the least"),
        (("relative_patch", "views.x.size=200"), r"needs images of at least 2\d\d x 2\d\d pixels for 3 x 3 patches"),
        (("jigsaw", "views.x.size=120"), "cuts tiles of 64 pixels from cells of 40 x 40; .* at least 192 pixels"),
    ],
)
def test_a_view_smaller_than_its_patches_says_the_least_size(
    words: tuple[str, str], message: str, sslgraph: Command
) -> None:
    said = sslgraph("check", words[0], "--set", words[1])
    assert said.code == 1 and "Traceback" not in said.err
    assert re.search(message, " ".join(said.err.split())), said.err


@pytest.mark.parametrize("method", ["colorization", "split_brain", "hypercolumns", "color_proxy"])
def test_grey_images_have_no_colours_to_learn(method: str, tmp_path: Path, sslgraph: Command) -> None:
    (tmp_path / "grey").mkdir()
    for i in range(40):
        Image.new("L", (40, 40), 6 * i).save(tmp_path / f"grey/{i}.png")
    out = tmp_path / "run"
    said = sslgraph("train", f"demo/{method}", "--data", str(tmp_path / "grey"), "--out", str(out), "--set", "batch=8")
    assert said.code == 1 and "grey" in said.err and "Traceback" not in said.err and len(said.err.splitlines()) <= 3
    assert not out.exists() or not any(out.iterdir())


def test_an_empty_folder_is_said_to_be_empty(tmp_path: Path, sslgraph: Command) -> None:
    (tmp_path / "none").mkdir()
    said = sslgraph("train", "demo/jigsaw", "--data", str(tmp_path / "none"), "--out", str(tmp_path / "run"))
    assert said.code == 1 and "has no images; it is empty" in said.err and "Traceback" not in said.err
    assert not (tmp_path / "run").exists()
