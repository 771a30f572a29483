"""Watching objects move, whole: masks of films, a network that learns them, and what it tells of films it never saw."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from command import Command
from command import sslgraph as sslgraph

pytest.importorskip("cv2", reason="the extra video is not installed")
pytest.importorskip("skimage", reason="the extra video is not installed")
pytest.importorskip("av", reason="the extra video is not installed")

from moving_disc import clip, film
from PIL import Image

NAME = "watching_objects_move"
SMALL = {
    "masks.every": "0.7", "pretrain.steps": "4", "pretrain.epochs": "null", "pretrain.batch": "2",
    "pretrain.nets.f.width": "4", "pretrain.nets.head.width": "8", "pretrain.views.x.size": "32",
    "pretrain.views.y.size": "8",
}  # fmt: skip


def run(command: Command, *words: str, **changes: str) -> tuple[int, str, str]:
    for path, value in {**SMALL, **changes}.items():
        words += ("--set", f"{path}={value}")
    said = command("run", NAME, "--out", "made", *words)
    return said.code, said.out, said.err


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A film to learn from and one to hold out, whose disc moves over a background that drifts."""
    for seed, name in enumerate(("train/one", "test/other")):
        film(tmp_path / f"videos/{name}.mp4", clip(seed, frames=24)[0])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_masks_are_made_learnt_and_measured_and_nothing_is_done_twice(here: Path, sslgraph: Command) -> None:
    code, said, wrong = run(sslgraph, "--data", "videos")
    assert code == 0, wrong
    facts = {one.parent.name.rpartition("-")[0]: json.loads(one.read_text()) for one in here.glob("made/*/done.json")}
    assert set(facts) == {"masks", "pretrain", "held_out", "evaluate"}
    assert facts["masks"]["frames"] == 6 and facts["masks"]["kept"] == 6 - sum(facts["masks"]["rejected"].values())
    assert 0 <= facts["held_out"]["miou.moves"] <= 1 and facts["held_out"]["miou_by_place.moves"] <= 1
    assert 0 <= facts["evaluate"]["linear mIoU"] <= 1
    (images,) = here.glob("made/masks-*/images")
    for seed, split in enumerate(("train", "test")):
        maps = sorted((images / split / "labels").glob("*.png"))
        assert maps
        truth = clip(seed, frames=24)[1]
        for place in maps:
            found = np.asarray(Image.open(place))
            true, known = truth[round(10 * float(place.stem.rpartition("-")[2]))], found != 255
            assert ((found == 1) & true).sum() / (((found == 1) | true) & known).sum() >= 0.9
    assert run(sslgraph, "--data", "videos")[1].count("done before") == 4
    _, said, _ = run(sslgraph, "--data", "videos", "--dry", **{"masks.every": "0.4"})
    assert said.count("stale") == 4


@pytest.mark.usefixtures("here")
def test_a_folder_without_videos_or_with_none_that_move_says_so(sslgraph: Command) -> None:
    Path("empty").mkdir()
    code, said, _ = run(sslgraph, "--only", "masks", "--data", "empty")
    assert code == 1 and "has no videos; they end in .mp4" in said
    film(Path("still/a.mp4"), clip(0, radius=0, drift=False, frames=8)[0])
    code, said, _ = run(sslgraph, "--only", "masks", "--data", "still")
    assert code == 1 and "no frame has a mask of what moves; 0 frames with a mask; rejected: 1 nothing moves" in said
    assert not [*Path("made").glob("masks-*/images")]
