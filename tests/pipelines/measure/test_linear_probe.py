"""The linear probe: its solutions satisfy their equations, and features that say nothing give chance."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from sslgraph.errors import SslgraphError
from sslgraph.pipelines.measure import linear_probe as module
from sslgraph.pipelines.measure.features import Features
from sslgraph.pipelines.measure.linear_probe import linear_probe


def features(values: Tensor, labels: Tensor) -> Features:
    return Features(values, torch.arange(len(values)), labels)


def clusters(count: int, seed: int, scale: float = 1.0) -> Features:
    """Four classes around the corners of a square, a little over each other."""
    fixed = torch.Generator().manual_seed(seed)
    labels = torch.randint(4, (count,), generator=fixed)
    corners = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    return features(scale * (corners[labels] + 0.4 * torch.randn(count, 2, generator=fixed)), labels)


def test_one_hot_labels_are_read_off_completely() -> None:
    labels = torch.arange(200) % 5
    whole = features(F.one_hot(labels).float(), labels)
    assert linear_probe(whole, whole).accuracy == 1


@pytest.mark.parametrize("value", [0.0, 1.0, 1e4])
def test_constant_features_give_the_most_frequent_label(value: float) -> None:
    labels = torch.tensor([0, 1, 1, 1, 2] * 40)
    same = features(torch.full((200, 7), value), labels)
    found = linear_probe(same, same)
    assert found.accuracy == found.chance == 0.6


def test_overlapping_corners_are_found_as_well_as_they_can_be() -> None:
    found = linear_probe(clusters(1000, 0), clusters(2000, 1))
    best = (0.5 * (1 + math.erf(1 / 0.4 / math.sqrt(2)))) ** 2  # both signs right: 0.9876
    assert abs(found.accuracy - best) < 0.015 and found.classes == 4


def test_standardised_features_make_the_scale_of_no_matter() -> None:
    small, large = (linear_probe(clusters(300, 0, scale), clusters(300, 1, scale)) for scale in (1e-3, 1e3))
    assert small.accuracy == large.accuracy and small.chosen == large.chosen


@pytest.mark.parametrize("widest", [module.WIDEST, 0])
def test_a_logistic_solution_has_no_slope(widest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WIDEST", widest)
    data = clusters(400, 0)
    assert data.labels is not None
    x, _ = module._inputs(data.values, data.values)
    (head,) = module._logistic(x, data.labels, [0.01], torch.zeros(3, 4))
    assert slope(x, data.labels, head, 0.01) < 1e-4


def test_nearly_collinear_inputs_are_solved_too() -> None:
    fixed = torch.Generator().manual_seed(0)
    labels = torch.randint(4, (600,), generator=fixed)
    scales = torch.logspace(0, -3, 60)  # of the directions in which the inputs vary
    mixed = torch.linalg.qr(torch.randn(60, 60, generator=fixed))[0]
    rows = (torch.randn(4, 60, generator=fixed)[labels] + torch.randn(600, 60, generator=fixed)) * scales @ mixed
    x, _ = module._inputs(rows, rows)
    for penalty, head in zip((1e-2, 1e-4), module._logistic(x, labels, [1e-2, 1e-4], torch.zeros(61, 4)), strict=True):
        assert slope(x, labels, head, penalty) < 1e-4


def slope(x: Tensor, y: Tensor, head: Tensor, penalty: float) -> float:
    """The largest derivative of the cost that autograd finds there."""
    head = head.clone().requires_grad_()
    cost = F.cross_entropy(x @ head, y) + 0.5 * penalty * head[:-1].square().sum()
    return float(torch.autograd.grad(cost, head)[0].abs().max())


def test_the_walk_over_penalties_ends_where_it_only_goes_down() -> None:
    assert module._falls([0.3, 0.4, 0.5, 0.4, 0.4], 1000)
    assert not module._falls([0.3, 0.4, 0.5, 0.4], 1000)  # once may be chance
    assert not module._falls([0.5, 0.49, 0.49], 1000) and module._falls([0.5, 0.49, 0.49], 100_000)
    assert not module._falls([0.1, 0.1, 0.1], 1000)


def test_the_test_images_choose_nothing() -> None:
    train, test = clusters(300, 0), clusters(300, 1)
    assert test.labels is not None
    turned = features(test.values, 3 - test.labels)
    one, other = linear_probe(train, test), linear_probe(train, turned)
    assert (one.chosen, one.held_out) == (other.chosen, other.held_out) and one.accuracy > 0.9 > other.accuracy


def test_one_training_image_is_refused() -> None:
    with pytest.raises(SslgraphError, match="holds out some of its labelled training images, and was given 1"):
        linear_probe(clusters(1, 0), clusters(5, 0))


def test_features_that_are_all_but_alike_have_a_probe() -> None:
    """Two images, each many times over: the covariance has rank 1, and rounding makes it indefinite."""
    fixed = torch.Generator().manual_seed(0)
    values = torch.rand(1, 512, generator=fixed).repeat(40, 1)
    values[20:] += 0.1
    found = features(values, torch.arange(40) // 20)
    assert linear_probe(found, found).accuracy == 1


def test_a_covariance_is_raised_until_it_has_a_root() -> None:
    flat = torch.ones(8, 8)
    flat[0, 1] = flat[1, 0] = 1 + 1e-6  # one eigenvalue lies below zero
    root = module._root(flat, 1e-9)
    assert root is not None and torch.allclose(root @ root.T, module.CURVATURE * flat, rtol=1e-4)
    assert module._root(torch.full((4, 4), math.nan), 1e-9) is None
