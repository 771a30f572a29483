"""Histograms of oriented gradients: edges whose direction is known, a slow version, and refusals."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from sslgraph.components.patches.hog import HOG


def slowly(image: Tensor, bins: int, cell: int) -> Tensor:
    """[channels, bins, rows of cells, columns of cells] of one image, pixel by pixel."""
    channels, height, width = image.shape
    out = torch.zeros(channels, bins, height // cell, width // cell, dtype=image.dtype)

    def at(c: int, y: int, x: int) -> float:
        y, x = abs(y), abs(x)
        return float(image[c, 2 * height - 2 - y if y >= height else y, 2 * width - 2 - x if x >= width else x])

    for c in range(channels):
        for y in range(height):
            for x in range(width):
                across = sum(w * (at(c, y + d, x - 1) - at(c, y + d, x + 1)) for d, w in ((-1, 1), (0, 2), (1, 1)))
                down = sum(w * (at(c, y - 1, x + d) - at(c, y + 1, x + d)) for d, w in ((-1, 1), (0, 2), (1, 1)))
                number = math.floor(math.atan2(across, down) / math.pi * bins) % bins
                out[c, number, y // cell, x // cell] += math.hypot(across, down)
    return torch.nn.functional.normalize(out, dim=1)


def test_it_is_the_slow_version_by_patches() -> None:
    images = torch.rand(2, 3, 8, 8, dtype=torch.float64)
    found = HOG(bins=5, cell=2, patch=4)(images)
    assert found.shape == (2, 4, 3 * 5 * 4)
    cells = slowly(images[1], 5, 2)
    for patch in range(4):
        down, across = 2 * (patch // 2), 2 * (patch % 2)
        expected = cells[:, :, down : down + 2, across : across + 2].flatten()
        torch.testing.assert_close(found[1, patch], expected)


def test_an_edge_has_one_direction_whichever_side_is_bright() -> None:
    image = torch.zeros(1, 1, 8, 8)
    image[..., 4:] = 1
    for bright in (image, 1 - image):
        cell = HOG(cell=8, patch=8)(bright)[0, 0]
        assert cell.argmax() == 4 and cell[4] == 1 and cell.count_nonzero() == 1  # atan2(gx, 0) = pi / 2: bin 4 of 9
    turned = HOG(cell=8, patch=8)(image.transpose(2, 3))[0, 0]
    assert turned[0] == 1 and turned.count_nonzero() == 1


def test_strength_and_a_constant_do_not_matter_and_an_even_image_is_zero() -> None:
    images = torch.rand(2, 3, 16, 16, dtype=torch.float64)
    hog = HOG(cell=4, patch=8)
    torch.testing.assert_close(hog(images), hog(3 * images + 7))
    assert hog(torch.ones(1, 3, 16, 16)).eq(0).all()


def test_a_window_weighs_the_middle_of_each_square_more() -> None:
    image = torch.zeros(1, 1, 16, 16)
    image[..., 4:8, 8:] = 1  # an edge along a row at the border of the square and down its middle
    plain, weighed = (HOG(cell=16, window=window)(image)[0, 0] for window in (0, 16))
    assert not torch.allclose(plain, weighed)
    assert HOG(cell=16, window=16).weights.sum().item() == pytest.approx(1)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="cells of 5 pixels do not cut patches of 16; set cell or patch"):
        HOG(cell=5)
    with pytest.raises(ValueError, match="patches of 16 pixels do not divide 24 x 24; set patch"):
        HOG()(torch.zeros(1, 3, 24, 24))
    with pytest.raises(ValueError, match="windows of 12 pixels do not divide 32 x 32; set window"):
        HOG(window=12)(torch.zeros(1, 3, 32, 32))
