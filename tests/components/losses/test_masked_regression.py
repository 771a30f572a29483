import pytest
import torch

from sslgraph.components.losses.masked_regression import MaskedRegression


def test_only_hidden_patches_count() -> None:
    prediction, target = torch.zeros(1, 3, 2), torch.tensor([[[1.0, 3.0], [100.0, 100.0], [2.0, 0.0]]])
    where = torch.tensor([[True, False, True]])
    torch.testing.assert_close(MaskedRegression()(prediction, target, where), torch.tensor((1 + 9 + 4 + 0) / 4))
    torch.testing.assert_close(MaskedRegression(distance="l1")(prediction, target, where), torch.tensor(6 / 4))


def test_perfect_prediction_of_normalised_patches_costs_nothing() -> None:
    target = torch.randn(2, 4, 12)
    normalised = (target - target.mean(2, keepdim=True)) / (target.var(2, keepdim=True) + 1e-6).sqrt()
    loss = MaskedRegression(normalize_target="per_patch")(normalised, target, torch.ones(2, 4))
    torch.testing.assert_close(loss, torch.tensor(0.0))


def test_predicting_the_mean_of_textured_patches_costs_767_of_768() -> None:
    target, zero = torch.randn(2, 6, 768), torch.zeros(2, 6, 768)
    loss = MaskedRegression(normalize_target="per_patch")
    assert loss(zero, target, torch.ones(2, 6)).item() == pytest.approx(767 / 768, abs=1e-5)
    assert loss.landmarks(zero, target) == {"chance": 767 / 768}


def test_a_patch_of_one_colour_is_no_division_by_zero() -> None:
    loss = MaskedRegression(normalize_target="per_patch")(torch.zeros(1, 1, 4), torch.ones(1, 1, 4))
    assert loss.item() == 0


@pytest.mark.parametrize("shape", [(2, 4, 4), (2, 1, 4, 4), (2, 3, 4, 4)])
def test_a_map_of_weights_spreads_over_the_channels_of_an_image(shape: tuple[int, ...]) -> None:
    prediction, target = torch.randn(2, 2, 3, 4, 4)
    where = torch.zeros(shape)
    where[..., 1:3, 1:3] = 1
    expected = (prediction - target)[..., 1:3, 1:3].square().mean()
    torch.testing.assert_close(MaskedRegression()(prediction, target, where), expected)
    target[..., 0, :] += 9
    torch.testing.assert_close(MaskedRegression()(prediction, target, where), expected)


def test_over_all_a_weight_of_ten_is_ten_times_the_gradient_of_the_plain_mean() -> None:
    prediction, target = torch.randn(1, 3, 4, 4, requires_grad=True), torch.randn(1, 3, 4, 4)
    weight = torch.ones(1, 4, 4)
    weight[:, 0] = 10
    (plain,) = torch.autograd.grad(MaskedRegression()(prediction, target), prediction)
    (weighted,) = torch.autograd.grad(MaskedRegression(over="all")(prediction, target, weight), prediction)
    torch.testing.assert_close(weighted, plain * weight[:, None])


def test_an_empty_mask_costs_nothing() -> None:
    assert MaskedRegression()(torch.ones(1, 2, 3), torch.zeros(1, 2, 3), torch.zeros(1, 2)).item() == 0


def test_normalising_an_image_by_patches_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the target has 4 axes; cut it with wiring\.patchify"):
        MaskedRegression(normalize_target="per_patch")(torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4))


def test_weights_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"where of shape \(2,\) does not fit a prediction of shape \(2, 4, 3\)"):
        MaskedRegression()(torch.zeros(2, 4, 3), torch.zeros(2, 4, 3), torch.zeros(2))
    with pytest.raises(ValueError, match=r"where of shape \(2, 3\) does not fit a prediction of shape \(2, 4, 3\)"):
        MaskedRegression()(torch.zeros(2, 4, 3), torch.zeros(2, 4, 3), torch.zeros(2, 3))
    with pytest.raises(ValueError, match=r"where of shape \(2, 4\) has whole numbers, such as the places of patches"):
        MaskedRegression()(torch.zeros(2, 4, 3), torch.zeros(2, 4, 3), torch.zeros(2, 4, dtype=torch.long))


def test_smooth_l1_is_a_square_up_to_its_knee_and_a_line_beyond() -> None:
    """With knee 2 an error of 1 costs 1/4 and one of 5 costs 4; hidden places alone count."""
    errors, where = torch.tensor([[1.0, 5.0], [9.0, 9.0]])[None], torch.tensor([[True, False]])
    loss = MaskedRegression(distance="smooth_l1", knee=2.0)
    assert loss(errors, torch.zeros_like(errors), where).item() == pytest.approx((0.25 + 4) / 2)
    assert loss.landmarks(errors, errors) == {}
