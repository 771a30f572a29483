"""Class numbers told, by hand: shares, overlaps, and what the place alone tells."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import one_hot

from sslgraph.pipelines.measure.told import Tally


def test_shares_and_overlaps_of_a_map_by_hand() -> None:
    """Two images of two places; the second place of the second has no class."""
    tally = Tally()
    tally.add(one_hot(torch.tensor([[[0, 1]]]), 2).float(), torch.tensor([[[0, 1]]]))
    tally.add(one_hot(torch.tensor([[[1, 0]]]), 2).float(), torch.tensor([[[0, -1]]]))
    told = tally.told()
    assert told is not None and told.right == pytest.approx(2 / 3)
    assert told.miou == pytest.approx((1 / 2 + 1 / 2) / 2)  # class 0: told 1 of 2; class 1: told twice, right once
    assert (told.right_by_place, told.miou_by_place) == (1.0, 1.0)  # 0 is always left and 1 always right


def test_one_number_an_image_is_one_place() -> None:
    tally = Tally()
    tally.add(one_hot(torch.tensor([2, 2, 0, 1]), 3).float(), torch.tensor([2, 2, 2, 1]))
    told = tally.told()
    assert told is not None and (told.right, told.right_by_place) == (0.75, 0.75)


def test_scores_of_other_places_or_of_nothing_are_not_counted() -> None:
    tally = Tally()
    tally.add(torch.zeros(2, 4, 3), torch.zeros(2, dtype=torch.long))
    tally.add(torch.zeros(2, 2000), torch.zeros(2, dtype=torch.long))
    tally.add(torch.zeros(2, 3), torch.full((2,), -100))
    assert tally.told() is None
