"""KoLeo: the values that are known of it, against a slow version, and who pushes whom."""

from __future__ import annotations

import math

import pytest
import torch

from sslgraph.components.losses.koleo import KoLeo

NOISE = torch.Generator().manual_seed(0)


def test_orthogonal_equal_and_random_features_have_the_known_values() -> None:
    assert KoLeo()(torch.eye(8)[None]).item() == pytest.approx(-math.log(math.sqrt(2)), abs=1e-6)
    assert KoLeo()(torch.ones(1, 4, 16)).item() == pytest.approx(16.81, abs=0.01)
    random = torch.randn(1, 64, 1024, generator=NOISE)
    assert KoLeo()(random).item() == pytest.approx(-0.306, abs=0.01)


def test_it_is_the_mean_over_views_of_each_view_by_itself() -> None:
    features = torch.randn(2, 6, 3, generator=NOISE, dtype=torch.float64)
    slow = []
    for view in torch.nn.functional.normalize(features, dim=-1):
        for i in range(6):
            nearest = max((j for j in range(6) if j != i), key=lambda j: float(view[i] @ view[j]))
            slow.append(-math.log((view[i] - view[nearest] + 1e-8).norm() + 1e-8))
    assert KoLeo()(features).item() == pytest.approx(sum(slow) / 12, rel=1e-12)


def test_opposite_features_are_each_others_nearest_and_gradients_reach_both() -> None:
    features = torch.tensor([[[1.0, 0.0], [-1.0, 0.0]]], requires_grad=True)
    loss = KoLeo()(features)
    assert loss.item() == pytest.approx(-math.log(2))
    pushed = torch.tensor([[[1.0, 0.0], [0.9, 0.3], [-1.0, 0.2]]], requires_grad=True)
    KoLeo()(pushed).backward()
    assert pushed.grad is not None and pushed.grad.abs().sum(-1).gt(0).all()


def test_one_image_has_no_nearest() -> None:
    with pytest.raises(ValueError, match="the nearest other feature needs two images in a batch"):
        KoLeo()(torch.ones(2, 1, 4))
