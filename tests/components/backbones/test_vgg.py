"""VGG against torchvision's."""

import pytest
import torch
import torchvision

from sslgraph.components.backbones.vgg import VGG

IMAGES = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def test_its_convolutions_have_torchvisions_names_and_shapes() -> None:
    with torch.device("meta"):
        ours = VGG(channels=3).features.state_dict()
        theirs = torchvision.models.vgg16_bn().features.state_dict()
    assert {name: value.shape for name, value in ours.items()} == {name: value.shape for name, value in theirs.items()}


def test_dense_is_what_the_relu_leaves_of_before_relu() -> None:
    out = VGG(preset="small", channels=3).eval()(IMAGES)
    torch.testing.assert_close(out.dense, out.before_relu.clamp_min(0))
    assert out.map.shape == (4, 128, 4, 4)
    assert out.before_relu.min() < 0


def test_training_without_draws_is_refused() -> None:
    with pytest.raises(ValueError, match="dropout is drawn for each sample: give the port draw, or set dropout: 0"):
        VGG(preset="small", channels=3)(IMAGES)


def test_sobel_leaves_two_channels_for_the_first_convolution() -> None:
    assert VGG(preset="small", sobel=True, channels=3).features[0].in_channels == 2
