"""Hue, chroma and their histograms: Python's own HSV, known weights, windows of 49 pixels, and what grey says."""

import colorsys

import pytest
import torch

from sslgraph.components.colours.hcv import Hcv
from sslgraph.components.colours.histograms import ColourHistograms


def test_hue_and_chroma_are_pythons() -> None:
    images = torch.rand(1, 3, 5, 6, generator=torch.Generator().manual_seed(0))
    found = Hcv()(images)
    for row in range(5):
        for column in range(6):
            hue, saturation, value = colorsys.rgb_to_hsv(*images[0, :, row, column].tolist())
            assert found.hue[0, 0, row, column].item() == pytest.approx(hue, abs=1e-5)
            assert found.chroma[0, 0, row, column].item() == pytest.approx(saturation * value, abs=1e-6)
    torch.testing.assert_close(found.grey[:, 0], images.mean(1))


def test_grey_has_no_chroma_hue_0_and_a_weight_of_0() -> None:
    image = torch.rand(1, 1, 9, 9).expand(-1, 3, -1, -1)
    hcv = Hcv()(image)
    assert hcv.chroma.eq(0).all() and hcv.hue.eq(0).all()
    found = ColourHistograms(bins=8)(*hcv, torch.full((1, 2, 2), 0.5))
    assert found.chroma[0, 0].tolist() == [1, 0, 0, 0, 0, 0, 0, 0] and found.hue_weight.eq(0).all()


def test_a_window_counts_its_49_pixels_and_moves_inside_at_the_edge() -> None:
    hcv = Hcv()(torch.rand(2, 3, 12, 12))
    points = torch.tensor([[[0.51, 0.51], [0.01, 0.99]]] * 2)
    found = ColourHistograms(bins=4, window=7)(*hcv, points)
    torch.testing.assert_close(found.hue * 49, (found.hue * 49).round(), atol=1e-4, rtol=0)
    torch.testing.assert_close(found.hue.sum(2), torch.ones(2, 2))
    inside = hcv.hue[1, 0, 3:10, 3:10]
    assert found.hue[1, 0].mul(49).round().tolist() == (inside * 4).long().flatten().bincount(minlength=4).tolist()
    corner = hcv.hue[1, 0, :7, 5:]
    assert found.hue[1, 1].mul(49).round().tolist() == (corner * 4).long().flatten().bincount(minlength=4).tolist()


def test_black_and_white_weigh_nothing_and_a_third_to_two_thirds_all() -> None:
    light = torch.tensor([0, 1 / 6, 1 / 3, 0.5, 2 / 3, 1]).view(6, 1, 1, 1).expand(6, 1, 7, 7)
    found = ColourHistograms(bins=2)(light, light, light, torch.full((6, 1, 2), 0.5)).chroma_weight[:, 0]
    torch.testing.assert_close(found, torch.tensor([0, 0.5, 1, 1, 1, 0]), atol=1e-5, rtol=0)


def test_a_window_larger_than_the_image_is_refused() -> None:
    image = torch.zeros(1, 1, 6, 8)
    with pytest.raises(ValueError, match="a window of 7 pixels does not fit an image of 6 x 8; set window"):
        ColourHistograms()(image, image, image, torch.zeros(1, 1, 2))
