"""MAE's mask: the dossier's counts, and the laws of seen, restore and hidden."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sslgraph.components.masks.uniform import UniformMask
from sslgraph.draws import keyed

IMAGES = torch.zeros(5, 3, 32, 32)
DRAW = keyed(0, 0, torch.arange(5))


@pytest.mark.parametrize(
    ("side", "ratio", "kept"),
    [(14, 0.75, 49), (16, 0.75, 64), (8, 0.75, 16), (10, 0.9, 9), (14, 0.9, 19), (7, 0.6, 19)],
)
def test_the_number_of_seen_patches_is_rounded_down(side: int, ratio: float, kept: int) -> None:
    mask = UniformMask(ratio=ratio, patch=1)(torch.zeros(2, 3, side, side), DRAW[:2])
    assert mask.seen.shape == (2, kept)
    assert mask.hidden.sum(1).tolist() == [side**2 - kept] * 2


@given(st.floats(0.01, 0.9), st.integers(0, 1000))
def test_restore_undoes_the_order_and_hidden_is_the_rest(ratio: float, seed: int) -> None:
    draw = keyed(seed, 0, torch.arange(5))
    seen, restore, hidden, wanted = UniformMask(ratio=ratio, patch=8)(IMAGES, draw)
    tokens = torch.rand(5, 16)
    shuffled = torch.cat([tokens.gather(1, seen), torch.full((5, 16 - seen.shape[1]), -1.0)], 1)
    assert torch.equal(shuffled.gather(1, restore), tokens.masked_fill(hidden, -1.0))
    assert torch.equal(torch.cat([seen, wanted], 1).sort(1).values, torch.arange(16).expand(5, -1))


def test_a_part_of_the_hidden_patches_may_be_wanted() -> None:
    mask = UniformMask(patch=8, predicted=0.5)(IMAGES, DRAW)
    assert mask.wanted.shape == (5, 6) and mask.hidden.gather(1, mask.wanted).all()
    assert UniformMask(patch=8, predicted=0.01)(IMAGES, DRAW).wanted.shape == (5, 1)


def test_an_image_keeps_its_mask_in_any_batch() -> None:
    order = torch.tensor([3, 1, 4, 0, 2])
    mask = UniformMask(patch=8)
    assert torch.equal(mask(IMAGES, DRAW[order]).seen, mask(IMAGES, DRAW).seen[order])


def test_every_patch_is_hidden_equally_often() -> None:
    draw = keyed(0, 0, torch.arange(4000))
    often = UniformMask(patch=8)(torch.zeros(4000, 3, 32, 32), draw).hidden.float().mean(0)
    torch.testing.assert_close(often, torch.full((16,), 0.75), atol=0.03, rtol=0)


def test_hiding_everything_is_refused() -> None:
    with pytest.raises(ValueError, match=r"ratio 0\.99 hides all 16 patches"):
        UniformMask(ratio=0.99, patch=8)(IMAGES, DRAW)
    for ratio in (0.0, 1.0):
        with pytest.raises(ValueError, match=rf"above 0 and below 1, and not {ratio}"):
            UniformMask(ratio=ratio)


def test_a_patch_that_does_not_divide_the_image_is_refused() -> None:
    with pytest.raises(ValueError, match="patches of 5 pixels do not divide 32 x 32"):
        UniformMask(patch=5)(IMAGES, DRAW)
