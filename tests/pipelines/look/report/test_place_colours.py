"""Colours of places by hand."""

from __future__ import annotations

import torch

from sslgraph.pipelines.look.report.place_colours import rgb


def test_the_widest_direction_is_red_over_all_images_and_the_rest_is_grey() -> None:
    """Along (3, 4) places lie at 0, 1, 2 and 3 in two images: red rises evenly, and there is no other direction."""
    places = torch.arange(4.0)[:, None] * torch.tensor([3.0, 4.0])
    colours = rgb(places.view(2, 1, 2, 2).permute(0, 3, 1, 2))
    red = colours[:, 0].flatten()
    torch.testing.assert_close(red, torch.tensor([0, 1 / 3, 2 / 3, 1]), atol=0.01, rtol=0)
    assert (colours[:, 1:] == 0.5).all()


def test_features_that_are_all_alike_are_grey() -> None:
    assert (rgb(torch.ones(2, 5, 3, 3)) == 0.5).all()
