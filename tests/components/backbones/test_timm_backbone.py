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


def test_a_transformer_takes_small_crops_beside_large_ones() -> None:
    with torch.device("meta"):
        part = Timm(name="vit_tiny_patch16_224", channels=3, size=224)
        assert part(torch.empty(2, 3, 224, 224)).features.shape == (2, 1 + 14**2, 192)
        assert part(torch.empty(2, 3, 96, 96)).features.shape == (2, 1 + 6**2, 192)


def test_pixels_that_no_patch_would_see_are_refused() -> None:
    told = "patches of 16 pixels leave 4 of 100 pixels unseen; make the view 96 or 112 pixels wide"
    with torch.device("meta"), pytest.raises(ValueError, match=told):
        Timm(name="vit_tiny_patch16_224", channels=3, size=100)


def test_stochastic_depth_reaches_the_last_block_where_there_is_any() -> None:
    with torch.device("meta"):
        part = Timm(name="vit_tiny_patch16_224", channels=3, size=32, drop_path=0.2)
        assert part.net.blocks[-1].drop_path1.drop_prob == pytest.approx(0.2)
        Timm(name="resnet10t", channels=3, size=32, drop_path=0.2)
        with pytest.raises(ValueError, match="timm's vgg11 has no stochastic depth; leave drop_path out"):
            Timm(name="vgg11", channels=3, size=32, drop_path=0.2)
