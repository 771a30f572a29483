"""Networks of timm by name: their features, and what a wrong name is answered."""

import pytest
import timm
import torch

from sslgraph.components.backbones.timm import Timm

IMAGES = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def test_a_network_of_maps_gives_what_timm_gives() -> None:
    part = Timm(name="resnet10t", channels=3, size=32).eval()
    theirs = timm.create_model("resnet10t", num_classes=0).eval()
    theirs.load_state_dict(part.net.state_dict())
    out = part(IMAGES)
    torch.testing.assert_close(out.pooled, theirs(IMAGES))
    torch.testing.assert_close(out.features.mean((2, 3)), out.pooled)


def test_a_network_of_fixed_size_is_built_for_the_size_that_arrives() -> None:
    with torch.device("meta"):
        out = Timm(name="vit_tiny_patch16_224", channels=3, size=32)(torch.empty(2, 3, 32, 32))
    assert out.features.shape == (2, 1 + 4, 192)
    assert out.pooled.shape == (2, 192)


def test_maps_with_the_channels_last_are_turned() -> None:
    with torch.device("meta"):
        out = Timm(name="swin_tiny_patch4_window7_224", channels=3, size=224)(torch.empty(1, 3, 224, 224))
    assert out.features.shape == (1, 768, 7, 7)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"timm has no architecture 'resnt18'; the nearest names are: .*resnet18"):
        Timm(name="resnt18", channels=3, size=32)
