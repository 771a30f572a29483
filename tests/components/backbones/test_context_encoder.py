"""The context encoder's stages for the paper's image and for a small one."""

import pytest
import torch

from sslgraph.components.backbones.context_encoder import ContextEncoder


def test_an_image_of_128_is_halved_five_times_to_the_papers_channels() -> None:
    with torch.device("meta"):
        net = ContextEncoder(channels=3, size=128)
        out = net(torch.empty(2, 3, 128, 128))
    assert [stage[0].out_channels for stage in net.halvings] == [64, 64, 128, 256, 512]
    assert out.map.shape == (2, 512, 4, 4)
    assert out.code.shape == (2, 4000)


def test_a_small_image_takes_fewer_halvings() -> None:
    net = ContextEncoder(out=50, width=16, channels=3, size=32)
    assert [stage[0].out_channels for stage in net.halvings] == [16, 32, 64]
    assert net(torch.randn(2, 3, 32, 32)).code.shape == (2, 50)


def test_only_the_first_stage_has_no_batch_norm_and_a_bias() -> None:
    net = ContextEncoder(out=50, width=16, channels=3, size=32)
    assert [stage[0].bias is not None for stage in net.halvings] == [True, False, False]
    assert [len(stage) for stage in net.halvings] == [2, 3, 3]


def test_a_size_that_does_not_halve_to_4_is_refused() -> None:
    with pytest.raises(ValueError, match="96 is no power of 2 from 16 on"):
        ContextEncoder(channels=3, size=96)
