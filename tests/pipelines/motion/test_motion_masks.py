"""Masks of what moves: on clips of known truth, on clips where nothing does, and each reason to reject a frame."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("cv2", reason="the extra video is not installed")
pytest.importorskip("skimage", reason="the extra video is not installed")
pytest.importorskip("av", reason="the extra video is not installed")

from moving_disc import clip, film

from sslgraph.components.sources.label_maps import LabelMaps
from sslgraph.errors import SslgraphError
from sslgraph.pipelines.motion.masks import MOVES, masked, trimap
from sslgraph.pipelines.motion.residual import camera
from sslgraph.pipelines.motion.writing import write


@pytest.mark.parametrize("seed", [0, 1])
def test_a_disc_that_moves_under_a_moving_camera_is_found(seed: int) -> None:
    frames, truth = clip(seed)
    found = masked(frames, 3)
    moves = found.score >= MOVES
    assert found.rejected == "" and found.inliers > 0.9 and found.confidence == 1
    assert (moves & truth[3]).sum() / (moves | truth[3]).sum() >= 0.9
    known = found.trimap != 255
    assert ((found.trimap == 1) == truth[3])[known].mean() > 0.99


@pytest.mark.parametrize("drift", [True, False])
def test_a_camera_alone_and_a_still_clip_are_rejected(drift: bool) -> None:
    frames, _ = clip(5, radius=0, drift=drift)
    found = masked(frames, 3)
    assert found.score.max() <= 0.1 and found.rejected == "nothing moves" and (found.trimap == 255).all()


def test_the_camera_is_found_within_half_a_pixel() -> None:
    """A flow that is a homography, with a fifth of the frame moving otherwise."""
    columns, rows = np.meshgrid(np.arange(224), np.arange(160))
    scale = 1 + 1e-4 * columns
    true = np.stack([(1.01 * columns + 2) / scale - columns, (rows - 1) / scale - rows], -1).astype(np.float32)
    seen = true.copy()
    seen[:80, :90] += 7
    found = camera(seen)
    assert found is not None and np.abs(found[0] - true).max() < 0.5 and found[1].mean() == pytest.approx(0.8, abs=0.02)


def test_flow_that_no_camera_explains_is_rejected() -> None:
    noise = np.random.default_rng(0).uniform(-40, 40, (160, 224, 2)).astype(np.float32)
    assert camera(noise) is None


def test_a_frame_at_the_end_of_a_clip_counts_half_and_a_small_thing_is_rejected() -> None:
    frames, _ = clip(0)
    assert masked(frames, 0).confidence == 0.5
    small, _ = clip(0, radius=4)
    assert masked(small, 3).rejected in ("nothing moves", "what moves is too small")


def test_what_is_neither_moving_nor_still_is_unknown() -> None:
    score = np.zeros((20, 30), np.float32)
    score[5:15, 5:15] = 1
    score[5:15, 20:25] = 0.4
    found = trimap(score)
    assert (found[6:14, 6:14] == 1).all() and found[5, 5] == 255 and found[10, 22] == 255 and found[0, 29] == 0


def test_masks_are_written_as_label_maps_and_what_is_rejected_is_told(tmp_path: Path) -> None:
    film(tmp_path / "videos/disc.mp4", clip(0, frames=8)[0])
    film(tmp_path / "videos/still.mp4", clip(1, radius=0, drift=False, frames=8)[0])
    found = write(str(tmp_path / "videos"), tmp_path / "masks", every=10)
    assert str(found) == "1 frames with a mask; rejected: 1 nothing moves"
    facts = json.loads((tmp_path / "masks/masks.json").read_text())["frames"]
    assert [(one["film"], one["rejected"]) for one in facts] == [("disc.mp4", ""), ("still.mp4", "nothing moves")]
    source = LabelMaps(path=str(tmp_path / "masks/train"))
    assert len(source) == 1 and set(source.pair(0)[1].unique().tolist()) == {-1, 0, 1}
    assert (tmp_path / "masks/masks.png").is_file()
    with pytest.raises(SslgraphError, match="is there already; give a folder that is not there yet"):
        write(str(tmp_path / "videos"), tmp_path / "masks")


def test_videos_in_which_nothing_moves_leave_nothing(tmp_path: Path) -> None:
    film(tmp_path / "videos/still.mp4", clip(1, radius=0, drift=False, frames=8)[0])
    with pytest.raises(SslgraphError, match="no frame has a mask of what moves; 0 frames with a mask; rejected: 1 not"):
        write(str(tmp_path / "videos"), tmp_path / "masks", every=10)
    assert [place.name for place in tmp_path.iterdir()] == ["videos"]
