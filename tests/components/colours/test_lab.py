"""CIE Lab: known colours, grey without colour, and its known ranges."""

import torch

from sslgraph.components.colours.lab import Lab


def test_known_colours() -> None:
    red_green_blue_white = torch.eye(3, 4) + torch.tensor([0.0, 0, 0, 1])
    found = Lab()(red_green_blue_white[None, :, None])
    expected = torch.tensor([[53.24, 87.74, 32.30, 100], [80.09, -86.18, 79.19, 0], [67.20, 83.18, -107.86, 0]])
    torch.testing.assert_close(found.lightness[0, 0, 0] + 50, expected[0], atol=0.01, rtol=0)
    torch.testing.assert_close(found.ab[0, :, 0], expected[1:], atol=0.01, rtol=0)


def test_grey_has_no_colour_and_its_lightness_rises() -> None:
    found = Lab()((torch.arange(256) / 255).expand(3, 256)[None, :, None])
    assert found.ab.abs().max() < 0.005
    assert found.lightness[0, 0, 0].diff().gt(0).all() and found.lightness[0, 0, 0, 0].item() == -50


def test_values_outside_the_range_are_clipped_and_gradients_at_black_are_finite() -> None:
    images = torch.tensor([-0.5, 0.0, 1.5]).expand(1, 3, 3)[..., None].clone().requires_grad_()
    found = Lab()(images)
    assert found.lightness.flatten().tolist()[:2] == [-50, -50] and found.lightness.max() <= 50.001
    found.lightness.sum().backward()
    assert images.grad is not None and images.grad.isfinite().all()
