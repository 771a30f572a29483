"""The hole that lies anywhere: what it hides, what is to be painted, and that every place has its turn."""

import pytest
import torch

from sslgraph.components.masks.center_square import CenterSquare
from sslgraph.components.masks.random_square import RandomSquare
from sslgraph.draws import keyed

IMAGES = torch.randn(64, 3, 12, 16, generator=torch.Generator().manual_seed(0))
DRAW = keyed(0, 0, torch.arange(64))


def test_the_square_that_is_hidden_is_the_one_to_be_painted() -> None:
    hole = RandomSquare(size=6, overlap=1)(IMAGES, DRAW)
    for image, shown, patch in zip(IMAGES, hole.image, hole.patch, strict=True):
        rows, columns = (shown != image).any(0).nonzero().unbind(1)
        assert len(rows) == 4 * 4
        top, left = int(rows.min()) - 1, int(columns.min()) - 1
        assert torch.equal(patch, image[:, top : top + 6, left : left + 6])


def test_every_place_has_its_turn_and_an_image_keeps_its_own() -> None:
    images = torch.zeros(4000, 3, 6, 7) + torch.arange(42.0).view(6, 7)
    corner = RandomSquare(size=5, overlap=0)(images, keyed(0, 0, torch.arange(4000))).patch[:, 0, 0, 0]
    places, counts = corner.unique(return_counts=True)
    assert places.tolist() == [0, 1, 2, 7, 8, 9]
    assert (counts / 4000 - 1 / 6).abs().max() < 0.03
    some = RandomSquare(size=5, overlap=0)(images[:2], keyed(0, 0, torch.tensor([7, 99]))).patch[:, 0, 0, 0]
    assert some.tolist() == corner[[7, 99]].tolist()


def test_where_there_is_one_place_it_is_the_central_square() -> None:
    image = IMAGES[:4, :, :, :12]
    one, other = RandomSquare(size=12, overlap=2)(image, DRAW[:4]), CenterSquare(size=12, overlap=2)(image)
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_a_hole_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a square of 14 pixels does not fit \[12, 16\]"):
        RandomSquare(size=14)(IMAGES, DRAW)
    with pytest.raises(ValueError, match="leaves nothing to hide"):
        RandomSquare(size=16, overlap=8)
