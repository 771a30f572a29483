"""Encoder and decoder of the discrete VAE: the weights of DALL-E's, their places, and what does not fit."""

import pytest
import torch

from sslgraph.components.backbones.dvae_decoder import DvaeDecoder
from sslgraph.components.backbones.dvae_encoder import Bottleneck, DvaeEncoder


def test_they_have_as_many_weights_as_dall_es() -> None:
    with torch.device("meta"):
        encoder, decoder = DvaeEncoder(channels=3), DvaeDecoder(codes=8192)
    scores = 2048 * 8192 + 8192  # the last 1 x 1 convolution, here a heads.linear
    assert sum(p.numel() for p in encoder.parameters()) + scores == 53_786_240
    assert sum(p.numel() for p in decoder.parameters()) == 43_829_766


def test_eight_pixels_make_a_place_and_a_place_eight_pixels() -> None:
    features = DvaeEncoder(width=4, channels=3)(torch.rand(2, 3, 32, 32))
    assert features.patches.shape == (2, 16, 32) and features.patches.min() >= 0
    torch.testing.assert_close(features.pooled, features.patches.mean(1))
    assert DvaeDecoder(width=4, codes=5)(torch.rand(2, 16, 5)).shape == (2, 6, 32, 32)


def test_places_go_row_by_row_in_both() -> None:
    """A code at place 3 of 4 x 4, the last of the first row, changes the upper right corner only, up to the kernels."""
    decoder = DvaeDecoder(width=4, groups=1, blocks=1, codes=2)
    shares = torch.zeros(1, 256, 2)
    shares[..., 0] = 1
    other = shares.clone()
    other[0, 15] = torch.tensor([0.0, 1.0])
    changed = (decoder(shares) - decoder(other)).abs().amax((0, 1)).gt(0).nonzero()
    assert changed[:, 0].max() <= 3 and changed[:, 1].min() >= 12
    encoder = DvaeEncoder(width=4, groups=1, blocks=1, channels=3)
    image = torch.rand(1, 3, 32, 32)
    bright = image.clone()
    bright[:, :, 0, 31] = 2
    moved = (encoder(image).patches - encoder(bright).patches).abs().amax(2)[0].gt(0).nonzero()[:, 0]
    assert (moved // 32).max() <= 6 and (moved % 32).min() >= 25


def test_a_block_begins_as_a_small_step_beside_its_input() -> None:
    """With gain 1 / 64 and weights of variance 1 / fan-in a branch adds about a hundredth of the input's size."""
    x = torch.randn(2, 64, 8, 8, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    step = Bottleneck(64, 64, (3, 3, 3, 1), 1 / 64)(x) - x
    assert 0 < step.std() < 0.02


def test_images_and_widths_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="places of 8 pixels do not cut 36 x 36; set groups or the size of the view"):
        DvaeEncoder(width=4, channels=3)(torch.rand(1, 3, 36, 36))
    with pytest.raises(ValueError, match="6 is no multiple of 4; set width"):
        DvaeEncoder(width=6, channels=3)
    with pytest.raises(ValueError, match="6 is no multiple of 4; set width"):
        DvaeDecoder(width=6, codes=3)
    with pytest.raises(ValueError, match="12 places are no square"):
        DvaeDecoder(width=4, codes=3)(torch.rand(1, 12, 3))
