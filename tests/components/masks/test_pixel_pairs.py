"""PixPro's pairs: the dossier's counts on a 7 x 7 map, flips, and symmetry."""

import torch
from torch import Tensor

from sslgraph.components.masks.pixel_pairs import PixelPairs

MAP = torch.zeros(1, 8, 7, 7)
WHOLE = (0.2, 0.2, 0.6, 0.6)
CELL = torch.arange(49)


def pairs(one: tuple[float, ...], other: tuple[float, ...], flip: bool = False, flip_other: bool = False) -> Tensor:
    flips = torch.tensor([flip]), torch.tensor([flip_other])
    return PixelPairs()(torch.tensor([one]), flips[0], torch.tensor([other]), flips[1], MAP)[0]


def test_equal_views_pair_each_cell_with_itself() -> None:
    assert torch.equal(pairs(WHOLE, WHOLE), torch.eye(49, dtype=torch.bool))


def test_a_zoom_into_the_centre_gives_121_pairs_of_25_and_49_cells() -> None:
    found = pairs(WHOLE, (0.3, 0.3, 0.5, 0.5))
    assert found.sum() == 121
    assert found.any(1).sum() == 25
    assert found.any(0).sum() == 49


def test_disjoint_views_give_none() -> None:
    assert not pairs((0.0, 0.0, 0.3, 0.3), (0.6, 0.6, 0.9, 0.9)).any()


def test_cells_twice_as_wide_as_high_give_133() -> None:
    assert pairs((0.0, 0.2, 0.8, 0.6), (0.0, 0.2, 0.8, 0.6)).sum() == 133


def test_a_flipped_view_runs_from_right_to_left() -> None:
    found = pairs(WHOLE, WHOLE, flip_other=True)
    mirrored = CELL // 7 * 7 + 6 - CELL % 7
    assert found.sum() == 49
    assert found[CELL, mirrored].all()
    assert torch.equal(pairs(WHOLE, WHOLE, True, True), pairs(WHOLE, WHOLE))


def test_swapping_the_views_transposes_the_pairs() -> None:
    one, other = (0.1, 0.2, 0.5, 0.9), (0.3, 0.1, 0.8, 0.7)
    assert torch.equal(pairs(other, one, True, False), pairs(one, other, False, True).T)


def test_a_map_of_another_size_has_its_own_cells() -> None:
    flip = torch.tensor([False])
    box = torch.tensor([WHOLE])
    found = PixelPairs()(box, flip, box, flip, MAP, torch.zeros(1, 8, 1, 1))
    assert found.shape == (1, 49, 1)
    # The one cell's diagonal is 7 of ours: centres within 4.9 diagonals are all 49.
    assert found.all()
