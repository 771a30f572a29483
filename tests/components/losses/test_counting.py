"""The counting loss: by hand, its values at collapse, and its laws."""

from __future__ import annotations

import pytest
import torch

from sslgraph.components.losses.counting import Counting

COUNTS = torch.rand(5, 4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_by_hand() -> None:
    counts = torch.tensor([[[3.0], [5.0]], [[1.0], [2.0]], [[1.0], [2.0]]])  # wholes 3 and 5, sums 2 and 4
    expected = ((3 - 2) ** 2 + (10 - (5 - 2) ** 2) + (5 - 4) ** 2 + (10 - (3 - 4) ** 2)) / 2
    assert Counting()(counts).item() == pytest.approx(expected)


@pytest.mark.parametrize(("constant", "value"), [(0.0, 10.0), (0.1, 10.0), (2.0, 9 * 2.0**2 * 3)])
def test_a_constant_is_worth_the_margin_or_more(constant: float, value: float) -> None:
    assert Counting()(torch.full((5, 4, 3), constant)).item() == pytest.approx(value, rel=1e-6)


def test_right_counts_far_from_the_other_image_are_worth_nothing() -> None:
    tiles = torch.tensor([[1.0, 0], [0, 9]]).expand(4, 2, 2)
    assert Counting()(torch.cat([tiles.sum(0, keepdim=True), tiles])).item() == 0


def test_the_order_of_the_tiles_does_not_matter_and_that_of_the_images_does() -> None:
    loss = Counting()
    torch.testing.assert_close(loss(COUNTS[[0, 3, 1, 4, 2]]), loss(COUNTS))
    assert not torch.allclose(loss(COUNTS[:, [1, 0, 2, 3]]), loss(COUNTS))
