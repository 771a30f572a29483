"""The central hole: where it lies, what shows of it, and how its pixels weigh."""

import pytest
import torch

from sslgraph.components.masks.center_square import CenterSquare

IMAGES = torch.randn(2, 3, 128, 128, generator=torch.Generator().manual_seed(0))


def test_the_papers_hole_fills_56_x_56_and_asks_for_64_x_64() -> None:
    hole = CenterSquare()(IMAGES)
    assert hole.patch.shape == (2, 3, 64, 64)
    assert torch.equal(hole.patch, IMAGES[:, :, 32:96, 32:96])
    changed = (hole.image != IMAGES).any(1)
    assert changed.sum((1, 2)).tolist() == [56 * 56] * 2
    torch.testing.assert_close(hole.image[0, :, 64, 64], torch.tensor([117.0, 104.0, 123.0]) / 255 * 2 - 1)


def test_the_visible_ring_weighs_10_times() -> None:
    weight = CenterSquare()(IMAGES).weight
    assert weight.shape == (2, 64, 64)
    assert weight[0, 3, 30] == weight[0, 30, 60] == 10
    assert weight[0, 4, 4] == weight[0, 59, 59] == 1
    assert weight.sum().item() == 2 * (56 * 56 + 10 * (64 * 64 - 56 * 56))


def test_what_is_shown_does_not_depend_on_what_is_hidden() -> None:
    mask = CenterSquare(size=16, overlap=2)
    other = IMAGES.clone()
    other[:, :, 58:70, 58:70] = 5.0
    assert torch.equal(mask(other).image, mask(IMAGES).image)
    assert not torch.equal(mask(other).patch, mask(IMAGES).patch)


def test_the_image_that_was_given_stays_whole() -> None:
    before = IMAGES.clone()
    CenterSquare()(IMAGES)
    assert torch.equal(IMAGES, before)


def test_a_hole_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a square of 64 pixels does not fit \[32, 32\]"):
        CenterSquare()(torch.zeros(1, 3, 32, 32))
    with pytest.raises(ValueError, match="a ring of 8 pixels leaves nothing to hide in a square of 16"):
        CenterSquare(size=16, overlap=8)
