"""The best one-to-one matching: by hand, against all orders, and what can't be dealt."""

from __future__ import annotations

from itertools import permutations

import pytest
import torch

from sslgraph.components.assignments.permutation import Permutation


def test_an_image_gives_way_where_all_are_better_off_by_it() -> None:
    """Both like row 0 best: 5 + 1 is less than 4 + 3."""
    assert Permutation()(torch.tensor([[5.0, 4.0], [3.0, 1.0]])).tolist() == [1, 0]


@pytest.mark.parametrize("rows", [5, 7])
def test_no_other_order_has_a_larger_sum(rows: int) -> None:
    scores = torch.randn(5, rows, requires_grad=True)
    dealt = Permutation()(scores)
    best = max(sum(scores[i, j].item() for i, j in enumerate(order)) for order in permutations(range(rows), 5))
    assert scores[torch.arange(5), dealt].sum().item() == pytest.approx(best)
    assert dealt.unique().numel() == 5 and not dealt.is_floating_point()


def test_scores_that_are_no_numbers_still_deal_every_row() -> None:
    """A training whose loss is NaN is stopped and told so by its own watch."""
    assert sorted(Permutation()(torch.full((3, 3), torch.nan)).tolist()) == [0, 1, 2]


def test_fewer_rows_than_images_are_refused() -> None:
    with pytest.raises(ValueError, match="3 images of all ranks can't take a row each of 2; give it as many rows"):
        Permutation()(torch.zeros(3, 2))
