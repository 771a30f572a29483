"""Dropout by the samples' own draws, and the deviation of first weights."""

import pytest
import torch
from torch import nn

from sslgraph.components.backbones.dense_layers import dropped, initialise
from sslgraph.draws import keyed

DRAW = keyed(0, 0, torch.arange(4))


@pytest.mark.parametrize("layer", [None, 1])
def test_dropout_is_the_same_for_the_same_draw_and_in_any_order_of_samples(layer: int | None) -> None:
    order, hidden = torch.tensor([2, 0, 3, 1]), torch.ones(4, 256)
    found = dropped(hidden, 0.5, DRAW, layer=layer)
    torch.testing.assert_close(dropped(hidden[order], 0.5, DRAW[order], layer=layer), found[order])
    assert set(found.unique().tolist()) == {0.0, 2.0} and abs(found.mean().item() - 1) < 0.15


def test_layers_of_a_net_drop_different_numbers() -> None:
    hidden = torch.ones(4, 256)
    both = [dropped(hidden, 0.5, DRAW, layer=layer) > 0 for layer in (0, 1)]
    assert abs((both[0] == both[1]).float().mean().item() - 0.5) < 0.1


def test_no_chance_needs_no_draw_and_changes_nothing() -> None:
    hidden = torch.randn(4, 8)
    assert dropped(hidden, 0.0, None) is hidden


def test_first_weights_have_the_deviations_that_are_promised() -> None:
    net = nn.Sequential(nn.Conv2d(64, 128, 3), nn.Linear(256, 512))
    initialise(net)
    assert net[0].weight.std().item() == pytest.approx((2 / (128 * 9)) ** 0.5, rel=0.02)
    assert net[1].weight.std().item() == pytest.approx(0.01, rel=0.02)
    assert not net[0].bias.any() and not net[1].bias.any()
