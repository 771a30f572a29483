"""Logit-Laplace: a density of pixels that sums to one, its best scale, and a prediction of another width."""

import math

import pytest
import torch

from sslgraph.components.losses.logit_laplace import LogitLaplace


def predicted(place: float, log_scale: float, numbers: int) -> torch.Tensor:
    return torch.tensor([place, log_scale]).view(1, 2, 1, 1).expand(1, 2, 1, numbers).double()


@pytest.mark.parametrize(("place", "log_scale"), [(0.0, -1.0), (1.2, -2.0)])
def test_the_density_of_a_pixel_sums_to_one(place: float, log_scale: float) -> None:
    """Over the squeezed pixel x in 0..1, of which images reach 0.1..0.9; the rest is added in closed form."""
    image = (torch.arange(20_000).double() + 0.5) / 20_000
    cost = [
        LogitLaplace()(predicted(place, log_scale, 1), value.view(1, 1, 1, 1)) for value in image[::100]
    ]  # a density per x, so a step of the image is 0.8 of it
    inside = torch.stack(cost).neg().exp().mean() * 0.8
    scale = math.exp(log_scale)
    tail = sum(0.5 * math.exp(-abs(math.log(9) - sign * place) / scale) for sign in (1, -1))
    assert inside.item() + tail == pytest.approx(1, abs=2e-3)


def test_a_value_by_hand() -> None:
    """A pixel of 0.5 has logit 0: log(2 b) + log(1/4) + |m| / b."""
    found = LogitLaplace()(predicted(0.6, math.log(0.3), 1), torch.full((1, 1, 1, 1), 0.5).double())
    assert found.item() == pytest.approx(math.log(0.6) + math.log(0.25) + 2)


def test_black_and_white_are_finite_and_painted_pixels_are_compared_in_0_to_1() -> None:
    image = torch.tensor([0.0, 1.0]).view(1, 1, 1, 2)
    place = torch.tensor([0.1, 0.9]).logit().view(1, 1, 1, 2)
    prediction = torch.cat([place, torch.zeros_like(place)], 1).requires_grad_()
    loss = LogitLaplace()(prediction, image)
    loss.backward()
    assert prediction.grad is not None and loss.isfinite() and prediction.grad.isfinite().all()
    assert LogitLaplace().monitors(prediction.detach(), image)["pixel_error"].item() == pytest.approx(0, abs=1e-6)


def test_a_prediction_without_scales_is_refused() -> None:
    with pytest.raises(ValueError, match=r"an image of 3 channels needs a prediction of 6.* and it has 3; set"):
        LogitLaplace()(torch.rand(1, 3, 4, 4), torch.rand(1, 3, 4, 4))
