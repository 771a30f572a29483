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


RECIPES = [{"recipe": "logistic"}, {"recipe": "sgd", "epochs": 20, "batch": 32}]


@pytest.mark.parametrize("recipe", RECIPES)
def test_one_hot_labels_are_read_off_completely(recipe: dict[str, object]) -> None:
    labels = torch.arange(200) % 5
    whole = features(F.one_hot(labels).float(), labels)
    assert linear_probe(whole, whole, **recipe).accuracy == 1  # type: ignore[arg-type]


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("value", [0.0, 1.0, 1e4])
def test_constant_features_give_the_most_frequent_label(recipe: dict[str, object], value: float) -> None:
    labels = torch.tensor([0, 1, 1, 1, 2] * 40)
    same = features(torch.full((200, 7), value), labels)
    found = linear_probe(same, same, **recipe)  # type: ignore[arg-type]
    assert found.accuracy == found.chance == 0.6


@pytest.mark.parametrize("recipe", RECIPES)
def test_overlapping_corners_are_found_as_well_as_they_can_be(recipe: dict[str, object]) -> None:
    found = linear_probe(clusters(1000, 0), clusters(2000, 1), **recipe)  # type: ignore[arg-type]
    best = (0.5 * (1 + math.erf(1 / 0.4 / math.sqrt(2)))) ** 2  # both signs right: 0.9876
    assert abs(found.accuracy - best) < 0.015 and found.classes == 4


@pytest.mark.parametrize("recipe", RECIPES)
def test_standardised_features_make_the_scale_of_no_matter(recipe: dict[str, object]) -> None:
    small, large = (
        linear_probe(clusters(300, 0, scale), clusters(300, 1, scale), **recipe)  # type: ignore[arg-type]
        for scale in (1e-3, 1e3)
    )
    assert small.accuracy == large.accuracy and small.chosen == large.chosen and small.standardised


@pytest.mark.parametrize("widest", [module.WIDEST, 0])
def test_a_logistic_solution_has_no_slope(widest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WIDEST", widest)
    data = clusters(400, 0)
    assert data.labels is not None
    x, _ = module._inputs(data.values, data.values, True)
    (head,) = module._logistic(x, data.labels, [0.01], torch.zeros(3, 4))
    assert slope(x, data.labels, head, 0.01) < 1e-4


def test_nearly_collinear_inputs_are_solved_too() -> None:
    fixed = torch.Generator().manual_seed(0)
    labels = torch.randint(4, (600,), generator=fixed)
    scales = torch.logspace(0, -3, 60)  # of the directions in which the inputs vary
    mixed = torch.linalg.qr(torch.randn(60, 60, generator=fixed))[0]
    rows = (torch.randn(4, 60, generator=fixed)[labels] + torch.randn(600, 60, generator=fixed)) * scales @ mixed
    x, _ = module._inputs(rows, rows, True)
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


def test_rates_that_train_at_once_give_what_each_gives_alone() -> None:
    data = clusters(128, 0)
    assert data.labels is not None
    x, _ = module._inputs(data.values, data.values, True)

    def heads(rates: list[float]) -> Tensor:
        return module._sgd(x, data.labels, rates, 4, epochs=3, batch=32, seed=0)

    torch.testing.assert_close(heads([0.1, 1.0]), torch.cat([heads([0.1]), heads([1.0])]))


def test_sgd_is_torch_s_own_with_a_cosine() -> None:
    data = clusters(96, 0)
    assert data.labels is not None
    x, _ = module._inputs(data.values, data.values, True)
    head = torch.zeros(3, 4, requires_grad=True)
    solver = torch.optim.SGD([head], lr=0.3 * 32 / 256, momentum=0.9)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(solver, 6)
    for some in module._batches(96, 32, 2, 0):
        solver.zero_grad()
        F.cross_entropy(x[some] @ head, data.labels[some]).backward()
        solver.step()
        falling.step()
    torch.testing.assert_close(module._sgd(x, data.labels, [0.3], 4, epochs=2, batch=32, seed=0)[0], head.detach())


def test_a_setting_that_diverges_is_not_chosen() -> None:
    train, test = clusters(300, 0, 1e6), clusters(300, 1, 1e6)
    found = linear_probe(train, test, recipe="sgd", standardise=False, epochs=5, grid=[1e30, 1e-9])
    assert found.chosen == 1e-9 and math.isfinite(found.accuracy)


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
