from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from sslgraph.components.losses.barlow_twins import BarlowTwins

# Two uncorrelated features over four images.
FEATURES = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])


def test_white_identical_views_cost_nothing_and_opposite_ones_four_per_feature() -> None:
    torch.testing.assert_close(BarlowTwins()(FEATURES, FEATURES), torch.tensor(0.0), atol=1e-8, rtol=0)
    torch.testing.assert_close(BarlowTwins()(FEATURES, -FEATURES), torch.tensor(8.0), atol=1e-3, rtol=0)


def test_features_that_are_all_alike_cost_the_redundancy_of_every_pair() -> None:
    features = torch.randn(16, 1).repeat(1, 5)
    torch.testing.assert_close(
        BarlowTwins(redundancy=0.1)(features, features), torch.tensor(0.1 * 5 * 4), rtol=1e-3, atol=0
    )


def test_constant_features_cost_one_each() -> None:
    constant = torch.ones(8, 6)
    assert BarlowTwins()(constant, constant).item() == BarlowTwins().landmarks(constant, constant)["collapsed"] == 6


def test_unrelated_views_cost_the_chance_value() -> None:
    one, other = torch.randn(2, 256, 128, generator=torch.Generator().manual_seed(0))
    loss = BarlowTwins(redundancy=0.05)
    assert loss(one, other).item() == pytest.approx(loss.landmarks(one, other)["chance"], rel=0.03)


@pytest.mark.parametrize("change", [lambda x: 3 * x, lambda x: x + 7, lambda x: x[[2, 0, 3, 1]]])
def test_scale_shift_and_order_of_the_images_do_not_matter(change: Callable[[Tensor], Tensor]) -> None:
    one, other = torch.randn(2, 4, 5)
    expected = BarlowTwins()(one, other)
    torch.testing.assert_close(BarlowTwins()(change(one), change(other)), expected, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(BarlowTwins()(other, one), expected)


def test_it_equals_batch_norm_and_a_masked_correlation() -> None:
    one, other = torch.randn(2, 12, 5)
    norm = torch.nn.BatchNorm1d(5, affine=False)
    c = norm(one).T @ norm(other) / 12
    off = c - torch.diag(c.diagonal())
    expected = (1 - c.diagonal()).square().sum() + 5e-3 * off.square().sum()
    torch.testing.assert_close(BarlowTwins()(one, other), expected)


def test_one_image_is_refused() -> None:
    with pytest.raises(ValueError, match="this batch has 1 image"):
        BarlowTwins()(FEATURES[:1], FEATURES[:1])
