"""AlexNet's sizes, which the papers count, and its dropout."""

import pytest
import torch

from sslgraph.components.backbones.alexnet import AlexNet


def test_an_image_of_224_gives_the_map_of_6_x_6_and_9216_numbers_to_the_dense_layers() -> None:
    with torch.device("meta"):
        net = AlexNet(sobel=True, channels=3).eval()
        out = net(torch.empty(2, 3, 224, 224))
    assert out.map.shape == (2, 256, 6, 6)
    assert net.dense1.in_features == 9216
    assert net.features[0].weight.shape == (96, 2, 11, 11)


def test_dense_is_what_the_relu_leaves_of_before_relu() -> None:
    out = AlexNet(hidden=32, channels=3).eval()(torch.randn(2, 3, 96, 96))
    torch.testing.assert_close(out.dense, out.before_relu.clamp_min(0))


def test_training_without_draws_is_refused() -> None:
    with pytest.raises(ValueError, match="dropout is drawn for each sample"):
        AlexNet(hidden=32, channels=3)(torch.randn(2, 3, 96, 96))
