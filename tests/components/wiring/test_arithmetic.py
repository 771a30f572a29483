"""Products, extremes, functions of numbers, the spectrum of a matrix and means of places: by hand and by laws."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from sslgraph.components.heads.rows import Rows
from sslgraph.components.losses.mean import Mean as MeanLoss
from sslgraph.components.wiring.apply import FUNCTIONS, Apply
from sslgraph.components.wiring.max import Max
from sslgraph.components.wiring.max_of_views import MaxOfViews
from sslgraph.components.wiring.maximum import Maximum
from sslgraph.components.wiring.mean import Mean
from sslgraph.components.wiring.minimum import Minimum
from sslgraph.components.wiring.product import Product
from sslgraph.components.wiring.region_means import RegionMeans
from sslgraph.components.wiring.scale import Scale
from sslgraph.components.wiring.second_moment import SecondMoment
from sslgraph.components.wiring.spectrum import Spectrum
from sslgraph.components.wiring.weighted_means import WeightedMeans


def test_the_larger_and_the_smaller_of_two_values_get_the_gradient() -> None:
    one, other = torch.tensor([1.0, 5.0], requires_grad=True), torch.tensor([2.0, 3.0], requires_grad=True)
    assert Maximum()(one, other).tolist() == [2, 5] and Minimum()(one, other).tolist() == [1, 3]
    Maximum()(one, other).sum().backward()
    assert one.grad is not None and one.grad.tolist() == [0, 1]


def test_a_product_of_equals_and_of_truth_values() -> None:
    assert Product()(torch.tensor([[2.0, 3.0]]), torch.tensor([[4.0, 5.0]])).tolist() == [[8, 15]]
    both = Product()(torch.tensor([[True, True]]), torch.tensor([[True, False]]))
    assert both.dtype == torch.bool and both.tolist() == [[True, False]]


@pytest.mark.parametrize(
    ("shape", "places", "view"),
    [
        ((2, 3, 4, 5), (2, 4, 5), (2, 1, 4, 5)),  # a map and its cells
        ((2, 3, 4, 5), (2, 4, 5, 1), (2, 1, 4, 5)),  # the same, as a part with features last gives them
        ((2, 3, 4, 5), (2, 1, 4, 5), (2, 1, 4, 5)),  # or a map of one feature
        ((2, 3, 4, 1), (2, 4, 1), (2, 1, 4, 1)),  # a map of one column
        ((2, 3, 1, 1), (2, 1, 1), (2, 1, 1, 1)),
        ((2, 3, 4, 5), (2,), (2, 1, 1, 1)),
        ((2, 4, 3), (2, 4), (2, 4, 1)),  # tokens and their places
        ((2, 3), (2,), (2, 1)),
        ((2, 3), (2, 1), (2, 1)),
    ],
)
def test_a_weight_for_each_place_multiplies_all_its_features(
    shape: tuple[int, ...], places: tuple[int, ...], view: tuple[int, ...]
) -> None:
    one, weights = torch.randn(shape), torch.randn(places)
    assert Product()(one, weights).equal(one * weights.view(view))


def test_weights_of_other_places_are_refused() -> None:
    with pytest.raises(ValueError, match=r"one of shape \(2, 3, 4, 4\) can't be multiplied by other of shape \(2, 3\)"):
        Product()(torch.zeros(2, 3, 4, 4), torch.zeros(2, 3))


def test_what_a_mask_leaves_is_1_minus_it() -> None:
    rest = Scale(factor=-1.0, shift=1.0)
    assert rest(torch.tensor([0.0, 0.25])).tolist() == [1, 0.75]
    assert rest(torch.tensor([True, False])).tolist() == [0, 1] and rest(torch.tensor([True])).is_floating_point()


def test_every_function_is_torchs_and_small_numbers_have_a_finite_gradient() -> None:
    x = torch.tensor([0.5, 2.0])
    for name in FUNCTIONS:
        known = getattr(torch, name, None) or getattr(functional, name.replace("_", ""))
        assert Apply(function=name)(x).equal(known(x))  # type: ignore[arg-type]
    far = torch.tensor([-1e3, 1e3])  # where log(1 + exp(x)) is infinite
    assert Apply(function="softplus")(far).tolist() == [0, 1e3] and Apply(function="log_sigmoid")(far)[0] == -1e3
    zero = torch.zeros(2, requires_grad=True)
    for name in ("log", "reciprocal", "sqrt"):
        (gradient,) = torch.autograd.grad(Apply(function=name)(zero).sum(), zero)  # type: ignore[arg-type]
        assert gradient.isfinite().all()
    small = torch.tensor([-2.0, -0.1, 0.0, 0.1])
    assert Apply(function="reciprocal", floor=0.5)(small).tolist() == [-0.5, -2, 2, 2]  # the sign stays
    assert Apply(function="log", floor=math.exp(-3))(zero).tolist() == pytest.approx([-3, -3])


def test_the_spectrum_by_hand() -> None:
    """Singular values 4 and 2: sums 6 and 20, the determinant 8, shares 2/3 and 1/3."""
    turn = torch.tensor([[0.6, -0.8], [0.8, 0.6]], dtype=torch.float64)
    matrix = turn @ torch.diag(torch.tensor([4.0, 2.0], dtype=torch.float64)) @ turn.T
    measured = {name: Spectrum(measure=name, eps=1e-9)(matrix).item() for name in ("nuclear", "frobenius")}  # type: ignore[arg-type]
    assert measured == pytest.approx({"nuclear": 6, "frobenius": 20**0.5})
    assert Spectrum(measure="log_det", eps=1e-9)(matrix).item() == pytest.approx(math.log(8))
    entropy = -2 / 3 * math.log(2 / 3) - 1 / 3 * math.log(1 / 3)
    assert Spectrum(measure="entropy", eps=1e-9)(matrix).item() == pytest.approx(entropy)


def test_the_spectrum_is_torchs_and_its_gradient_is_right() -> None:
    rows = torch.randn(7, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    covariance = rows.T @ rows / 7
    expected = torch.linalg.slogdet(covariance + 1e-4 * torch.eye(4, dtype=torch.float64)).logabsdet
    torch.testing.assert_close(Spectrum(measure="log_det")(SecondMoment()(rows)), expected)
    torch.testing.assert_close(Spectrum(measure="nuclear")(rows), torch.linalg.matrix_norm(rows, "nuc"))
    for measure in ("nuclear", "frobenius", "log_det", "entropy"):
        assert torch.autograd.gradcheck(Spectrum(measure=measure), (rows,))  # type: ignore[arg-type]
        nothing = torch.zeros(4, 3, requires_grad=True)
        (gradient,) = torch.autograd.grad(Spectrum(measure=measure)(nothing), nothing)  # type: ignore[arg-type]
        assert gradient.isfinite().all()


def test_features_that_all_lie_in_one_direction_have_the_smallest_spread() -> None:
    flat = torch.ones(8, 3, requires_grad=True)
    for measure in ("entropy", "log_det", "nuclear"):
        value = Spectrum(measure=measure)(flat)  # type: ignore[arg-type]
        (gradient,) = torch.autograd.grad(value, flat)
        assert gradient.isfinite().all() and value < Spectrum(measure=measure)(torch.eye(8)[:, :3] * 8**0.5)  # type: ignore[arg-type]


def test_the_mean_of_a_value_is_a_loss() -> None:
    assert MeanLoss()(torch.tensor([[1.0, 2.0], [3.0, 6.0]])).item() == 3
    assert MeanLoss()(torch.tensor(5.0)).item() == 5


def test_a_hidden_number_that_is_not_finite_counts_for_nothing() -> None:
    value = torch.tensor([1.0, torch.nan, 3.0, torch.inf], requires_grad=True)
    loss = MeanLoss()(value, torch.tensor([True, False, True, False]))
    loss.backward()
    assert loss.item() == 2 and value.grad is not None and value.grad.tolist() == [0.5, 0, 0.5, 0]


@pytest.mark.parametrize("part", [Mean, Max])
def test_pooling_of_a_map_is_that_of_its_tokens_and_hidden_places_do_not_count(part: type[Mean] | type[Max]) -> None:
    x = torch.randn(2, 5, 3, 4)
    tokens = x.flatten(2).transpose(1, 2)
    torch.testing.assert_close(part()(x), part()(tokens))
    where = torch.rand(2, 3, 4) < 0.5
    where[:, 0, 0], where[1] = True, False
    pooled = part()(x, where)
    torch.testing.assert_close(pooled, part()(tokens, where.flatten(1)))
    torch.testing.assert_close(pooled[:1], part()(tokens[:1, where[0].flatten()]))
    assert pooled[1].eq(0).all()  # the image without a place


def test_max_by_hand_and_over_views() -> None:
    tokens = torch.tensor([[[1.0, 8.0], [5.0, 2.0]]])
    assert Max()(tokens).tolist() == [[5, 8]]
    assert MaxOfViews()(tokens.transpose(0, 1)).tolist() == [[5, 8]]


def test_places_by_number_or_of_another_map_are_refused() -> None:
    with pytest.raises(ValueError, match="where has whole numbers, such as the places of patches"):
        Mean()(torch.zeros(2, 4, 3), torch.zeros(2, 4, dtype=torch.int64))
    with pytest.raises(ValueError, match=r"where of shape \(2, 5\) does not fit 4 places"):
        Max()(torch.zeros(2, 4, 3), torch.zeros(2, 5))


def test_the_mean_inside_each_region_by_hand() -> None:
    """Cells of 2 x 2 pixels: the label 1 has the whole left cell and half of the right one."""
    map = torch.tensor([[[[3.0, 9.0]]]])
    labels = torch.tensor([[[1, 1, 1, 0], [1, 1, 1, -1]]])
    rows, where = RegionMeans(count=3)(map, labels)
    assert rows.squeeze(-1).tolist() == [[9, (4 * 3 + 2 * 9) / 6, 0]] and where.tolist() == [[True, True, False]]


def test_regions_are_means_of_pixels_of_the_enlarged_map() -> None:
    map, labels = torch.randn(2, 5, 3, 3), torch.randint(-1, 6, (2, 12, 12))
    large = map.repeat_interleave(4, 2).repeat_interleave(4, 3)
    rows, where = RegionMeans(count=4)(map, labels)
    for image in range(2):
        for label in range(4):
            inside = large[image][:, labels[image] == label]
            assert where[image, label] == bool(inside.numel())
            torch.testing.assert_close(rows[image, label], inside.mean(1) if inside.numel() else torch.zeros(5))


def test_weighted_means_by_hand_and_those_of_labels_are_region_means() -> None:
    tokens, weights = torch.tensor([[[1.0], [4.0]]]), torch.tensor([[[0.5, 1.0, 0.0], [0.25, 0.0, 0.0]]])
    assert WeightedMeans()(tokens, weights).tolist() == [[[2.0], [1.0], [0.0]]]
    map, labels = torch.randn(2, 5, 3, 3), torch.randint(0, 4, (2, 3, 3))
    shares = torch.nn.functional.one_hot(labels.flatten(1), 4).float()
    means = WeightedMeans()(map.flatten(2).transpose(1, 2), shares)
    torch.testing.assert_close(means, RegionMeans(count=4)(map, labels).rows)


def test_trained_rows_are_what_they_are_and_get_a_gradient() -> None:
    part = Rows(count=3, dim=2, std=0.5)
    (part() * torch.arange(6.0).view(3, 2)).sum().backward()
    assert part.rows.grad is not None and part.rows.grad.flatten().tolist() == [0, 1, 2, 3, 4, 5]
    assert part().equal(part.rows)


def test_rows_begin_anew_in_place() -> None:
    part = Rows(count=400, dim=8, std=0.5)
    rows, before = part.rows, part.rows.detach().clone()
    part.reset()
    assert part.rows is rows and not rows.equal(before) and rows.std().item() == pytest.approx(0.5, rel=0.1)
