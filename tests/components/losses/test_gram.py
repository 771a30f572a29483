"""The Gram loss: by hand, what it does not see, a slow version, and whom it moves."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import cosine_similarity

from sslgraph.components.losses.gram import Gram

NOISE = torch.Generator().manual_seed(0)


def features(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=NOISE, dtype=torch.float64)


def test_two_patches_at_right_angles_that_should_be_alike_cost_a_half() -> None:
    apart, alike = torch.tensor([[[1.0, 0.0], [0.0, 3.0]]]), torch.tensor([[[2.0, 0.0], [5.0, 0.0]]])
    assert Gram()(apart, alike).item() == pytest.approx(0.5)  # two of four pairs are off by 1
    assert Gram()(apart, -alike).item() == pytest.approx(0.5)


def test_turning_and_stretching_all_patches_of_an_image_costs_nothing() -> None:
    target = features(3, 9, 5)
    turned = target @ torch.linalg.qr(features(5, 5)).Q * 7
    wider = torch.cat([target, torch.zeros(3, 9, 4, dtype=torch.float64)], -1)
    assert Gram()(turned, target).item() == pytest.approx(0, abs=1e-25)
    assert Gram()(target, wider).item() == pytest.approx(0, abs=1e-25)


def test_it_is_the_mean_over_images_and_pairs() -> None:
    one, other = features(2, 4, 3), features(2, 4, 6)
    slow = [
        (cosine_similarity(one[b, i], one[b, j], 0) - cosine_similarity(other[b, i], other[b, j], 0)) ** 2
        for b in range(2) for i in range(4) for j in range(4)
    ]  # fmt: skip
    assert Gram()(one, other).item() == pytest.approx(sum(map(float, slow)) / 32, rel=1e-12)
