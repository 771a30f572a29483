"""Films that the program draws: what moves is where the maps say, what stands still goes with the ground."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sslgraph.components.sources.moving_shapes import SPACING, MovingShapes


def test_images_are_those_in_the_middle_of_their_clips() -> None:
    source = MovingShapes(films=2, size=48)
    images, index = source.read(torch.arange(8))
    assert source.size == (48, 48) and len(source) == 8 and index.tolist() == list(range(8))
    for i in (0, 5):
        clip = source.clip(i)
        assert torch.equal(clip.frames[3], images[i]) and clip.frames.shape == (7, 3, 48, 48)
    assert [source.about(i)[0] for i in (0, 3, 4)] == [0, 0, 1]
    assert source.clip(1).times[0] - source.clip(0).times[0] == pytest.approx(SPACING / 10)


def test_an_image_depends_on_its_number_alone_and_splits_share_none() -> None:
    many, few = MovingShapes(films=4, size=32), MovingShapes(films=4, size=32, limit=5)
    rows = torch.tensor([int(row) for row in few._rows])
    assert torch.equal(few.read(torch.arange(5))[0], many.read(rows)[0])
    assert torch.equal(torch.stack(few.maps(torch.arange(5))), torch.stack(many.maps(rows)))
    test = MovingShapes(split="test", test_films=4, size=32)
    assert not torch.equal(test.read(torch.arange(16))[0], many.read(torch.arange(16))[0])


def test_the_share_of_films_that_stand_still_have_no_mask() -> None:
    source = MovingShapes(films=30, size=96, still=0.5)
    moving = torch.stack([map_.any() for map_ in source.maps(torch.arange(120))])
    assert 0.3 < moving.float().mean() < 0.7 and torch.equal(moving.long(), source.labels)


def test_masks_by_motion_are_the_true_ones_and_still_films_are_rejected() -> None:
    """Mean intersection over union at least .9 where both know; the score where nothing moves at most .1."""
    pytest.importorskip("cv2", reason="the extra video is not installed")
    pytest.importorskip("skimage", reason="the extra video is not installed")
    from sslgraph.pipelines.motion.masks import masked

    source, overlaps, still = MovingShapes(films=8, size=128, still=0.3), [], []
    for i in range(1, len(source), 4):
        found = masked(source.clip(i).frames.permute(0, 2, 3, 1).numpy(), 3)
        true = source.maps(torch.tensor([i]))[0].numpy() == 1
        if not true.any():
            still.append(found)
        elif not found.rejected:
            known = found.trimap != 255
            mine = found.trimap == 1
            overlaps.append((mine & true & known).sum() / ((mine | true) & known).sum())
    assert still and all(one.rejected == "nothing moves" and one.score.max() <= 0.1 for one in still)
    assert len(overlaps) >= 3 and np.mean(overlaps) >= 0.9
