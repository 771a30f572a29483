"""The residual networks against torchvision's, and what the small stem and Sobel change."""

import copy

import pytest
import torch
import torchvision
from torch import nn

from sslgraph.components.backbones.resnet import ResNet

IMAGES = torch.randn(2, 3, 40, 40, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("depth", [18, 50])
def test_it_is_torchvisions_network_on_the_same_weights(depth: int) -> None:
    theirs = torchvision.models.get_model(f"resnet{depth}", weights=None)
    theirs.fc = nn.Identity()
    with torch.device("meta"):
        ours = ResNet(depth=depth, channels=3)
    ours.load_state_dict(copy.deepcopy(theirs.state_dict()), assign=True)
    torch.testing.assert_close(ours(IMAGES).pooled, theirs(IMAGES))
    torch.testing.assert_close(ours.bn1.running_mean, theirs.bn1.running_mean)


@pytest.mark.parametrize(("depth", "million"), [(34, 21.284672), (101, 42.500160)])
def test_the_deeper_ones_have_torchvisions_number_of_weights(depth: int, million: float) -> None:
    with torch.device("meta"):
        assert sum(p.numel() for p in ResNet(depth=depth, channels=3).parameters()) == round(million * 1e6)


def test_the_cifar_stem_keeps_the_resolution_and_width_scales_all_channels() -> None:
    out = ResNet(depth=10, width=16, stem="cifar", channels=3)(IMAGES[..., :32, :32])
    assert out.map.shape == (2, 128, 4, 4)
    torch.testing.assert_close(out.pooled, out.map.flatten(2).mean(2))


def test_zero_init_makes_every_basic_block_start_as_its_shortcut() -> None:
    block = ResNet(depth=18, width=16, zero_init_residual=True, channels=3).layer1[1]
    x = torch.rand(2, 16, 8, 8)
    torch.testing.assert_close(block(x), x)


def test_with_sobel_a_shift_of_colours_that_keeps_their_mean_is_not_seen() -> None:
    net = ResNet(depth=10, width=16, sobel=True, channels=3).eval()
    shifted = IMAGES + torch.tensor([0.3, -0.1, -0.2])[:, None, None]
    torch.testing.assert_close(net(shifted).pooled, net(IMAGES).pooled, rtol=1e-4, atol=1e-4)


def test_a_part_built_without_channels_says_where_they_come_from() -> None:
    with pytest.raises(ValueError, match="channels is filled from the tensor that arrives"):
        ResNet(depth=18)


@pytest.mark.slow
def test_it_is_captured_whole_by_torch_compile() -> None:
    net = ResNet(depth=10, width=8, stem="cifar", channels=3)
    compiled = torch.compile(net, fullgraph=True, backend="aot_eager")
    expected = net(IMAGES[..., :16, :16]).pooled
    torch.testing.assert_close(compiled(IMAGES[..., :16, :16]).pooled, expected)


def test_its_stages_lead_to_the_last_map() -> None:
    net = ResNet(depth=10, width=8, stem="cifar", channels=3).eval()
    out = net(IMAGES[..., :32, :32])
    assert [map.shape[1:] for map in (out.layer1, out.layer2, out.layer3)] == [(8, 32, 32), (16, 16, 16), (32, 8, 8)]
    torch.testing.assert_close(net.layer4(out.layer3), out.map)


def test_with_layer_norm_an_image_knows_nothing_of_the_others() -> None:
    net = ResNet(depth=18, width=8, stem="small", norm="layer", channels=3)
    torch.testing.assert_close(net(IMAGES).pooled[:1], net(IMAGES[:1]).pooled, rtol=1e-4, atol=1e-5)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in net.modules())
