"""The mean of layers keeps places and features apart, and needs a layer."""

import pytest
import torch

from sslgraph.components.wiring.mean_of_layers import MeanOfLayers


def test_it_averages_over_layers_alone() -> None:
    layers = torch.arange(24.0).view(1, 2, 3, 4)
    assert torch.equal(MeanOfLayers()(layers), (layers[:, 0] + layers[:, 1]) / 2)


def test_no_layers_are_refused() -> None:
    with pytest.raises(ValueError, match="no layers to average; set layers: of the net"):
        MeanOfLayers()(torch.zeros(1, 0, 3, 4))
