"""MAE's decoder: counts, its table, and what restoring means."""

import pytest
import torch

from sslgraph.components.backbones.vit import sine_cosine_table
from sslgraph.components.heads.mae_decoder import MAEDecoder
from sslgraph.components.masks.uniform import UniformMask
from sslgraph.draws import keyed

IMAGES = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
MASK = UniformMask(ratio=0.5, patch=4)(IMAGES, keyed(0, 0, torch.arange(2)))


def small() -> MAEDecoder:
    return MAEDecoder(dim=16, depth=1, heads=2, patch=4, width=12, patches=16)


@pytest.mark.parametrize(
    ("width", "patch", "patches", "numbers"), [(768, 16, 196, 26_109_184), (384, 4, 64, 25_475_632)]
)
def test_it_has_the_papers_number_of_weights_with_its_table(width: int, patch: int, patches: int, numbers: int) -> None:
    with torch.device("meta"):
        decoder = MAEDecoder(patch=patch, width=width, patches=patches)
    assert sum(v.numel() for v in decoder.state_dict().values()) == numbers


def test_its_table_is_the_encoders() -> None:
    torch.testing.assert_close(small().positions, sine_cosine_table(16, 4))


def test_without_blocks_each_patch_is_its_token_and_its_place() -> None:
    decoder = MAEDecoder(dim=16, depth=0, heads=2, patch=4, width=12, patches=16)
    tokens = torch.randn(2, 9, 12)
    out = decoder(tokens, MASK.restore)
    patch = MASK.seen[1, 3]
    token = decoder.embed(tokens[1, 1 + 3]) + decoder.positions[0, 1 + patch]
    torch.testing.assert_close(out[1, patch], decoder.pixels(decoder.norm(token)))
    hidden = MASK.hidden[1].nonzero()[0, 0]
    token = decoder.mask_token[0, 0] + decoder.positions[0, 1 + hidden]
    torch.testing.assert_close(out[1, hidden], decoder.pixels(decoder.norm(token)))


def test_the_order_in_which_seen_tokens_arrive_does_not_matter() -> None:
    decoder, tokens = small(), torch.randn(2, 9, 12)
    order = torch.tensor([3, 1, 0, 2, 7, 6, 5, 4])
    moved = torch.cat([tokens[:, :1], tokens[:, 1:][:, order]], 1)
    where = torch.cat([order.argsort(), torch.arange(8, 16)])
    torch.testing.assert_close(decoder(moved, where[MASK.restore]), decoder(tokens, MASK.restore))


def test_out_says_how_many_numbers_a_patch_gets() -> None:
    features = MAEDecoder(dim=16, depth=1, heads=2, out=7, width=12, patches=16)
    assert features(torch.randn(2, 9, 12), MASK.restore).shape == (2, 16, 7)


def test_an_image_that_is_no_square_of_patches_is_refused() -> None:
    with pytest.raises(ValueError, match="a square number of patches and a width divisible by 4: 15, 16"):
        MAEDecoder(dim=16, depth=1, heads=2, width=12, patches=15)
