"""Sobel's filters on pictures whose edges are known."""

import torch

from sslgraph.components.backbones.sobel import Sobel


def test_a_step_from_left_to_right_answers_in_the_first_channel_only() -> None:
    image = torch.zeros(1, 3, 5, 6)
    image[..., 3:] = 1.0
    across, down = Sobel()(image)[0, :, 1:-1, 1:-1]
    assert across.tolist() == [[0.0, -4.0, -4.0, 0.0]] * 3
    assert down.abs().max() == 0


def test_a_picture_turned_about_its_diagonal_swaps_the_channels() -> None:
    image = torch.rand(2, 3, 7, 7)
    across, down = Sobel()(image).unbind(1)
    turned_across, turned_down = Sobel()(image.transpose(2, 3)).unbind(1)
    torch.testing.assert_close(turned_across.transpose(1, 2), down)
    torch.testing.assert_close(turned_down.transpose(1, 2), across)


def test_nothing_in_it_is_trained() -> None:
    assert not list(Sobel().parameters())
