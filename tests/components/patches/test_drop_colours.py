"""Colour dropping: one channel as it was, the others quiet around its mean, drawn for each patch."""

import pytest
import torch

from sslgraph import draws
from sslgraph.components.patches.arrange import Arrange
from sslgraph.components.patches.drop_colours import DropColours


def test_one_channel_stays_and_the_others_are_noise_around_its_mean() -> None:
    patches = torch.rand(400, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 5
    found = DropColours(noise=0.01)(patches, draws.keyed(0, 0, torch.arange(400)))
    kept = (found == patches).flatten(2).all(2)
    assert kept.sum(1).eq(1).all() and kept.double().mean(0).sub(1 / 3).abs().max() < 0.1
    channel = found[kept].flatten(1)
    noise = (found[~kept].view(400, 2, -1) - channel.mean(1)[:, None, None]) / channel.std(1, correction=0)[
        :, None, None
    ]
    assert noise.mean().abs() < 1e-3 and noise.std().item() == pytest.approx(0.01, rel=0.05)


def test_patches_of_one_image_draw_for_themselves_and_one_of_one_colour_stays_finite() -> None:
    patches = torch.full((9, 3, 4, 4), 7.0)
    patches[:, 1], patches[:, 2] = 8, 9
    found = DropColours()(patches, draws.substream(draws.keyed(0, 0, torch.arange(1)), 5, parts=9))
    assert found.isfinite().all() and len(found[:, 0, 0, 0].unique()) > 1


def test_features_lie_where_their_patches_lay() -> None:
    rows = torch.arange(18.0)[:, None]
    assert Arrange(grid=3)(rows)[1, 2, 0, 0].item() == 15
    with pytest.raises(ValueError, match="a grid of 3 has 9 patches, and 10 rows are no multiple"):
        Arrange(grid=3)(torch.zeros(10, 2))
