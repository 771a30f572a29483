"""The inverse block mask: one rectangle of its own for each image, of a fixed number of patches, and refusals."""

from __future__ import annotations

import pytest
import torch

from sslgraph.components.masks.inverse_block import InverseBlockMask, Sides
from sslgraph.draws import keyed

DRAW = keyed(0, 0, torch.arange(512))


def made(side: int = 16, images: int = 512, **settings: object) -> Sides:
    mask = InverseBlockMask(patch=14, **settings)
    return mask(torch.empty(1).expand(images, 3, 14 * side, 14 * side), DRAW[:images])


def test_256_patches_at_the_papers_numbers_show_90_and_ask_for_8() -> None:
    mask = made(predicted=0.05)
    assert mask.seen.shape == (512, 90) and mask.wanted.shape == (512, 8)
    assert mask.hidden.sum(1).eq(166).all()


def test_seen_wanted_and_hidden_say_the_same() -> None:
    mask = made(predicted=0.5)
    assert not mask.hidden.gather(1, mask.seen).any() and mask.hidden.gather(1, mask.wanted).all()
    assert mask.seen.diff().gt(0).all()
    assert all(len(places.unique()) == len(places) for places in mask.wanted)


def test_without_rolling_what_is_seen_is_a_rectangle_but_for_the_end_of_its_last_rows() -> None:
    for image in made(rolled=False, images=64).seen:
        rows, columns = (image // 16).unique(), (image % 16).unique()
        tall, wide = int(rows[-1] - rows[0]) + 1, int(columns[-1] - columns[0]) + 1
        assert tall == len(rows) and wide == len(columns)
        first = rows[0] * 16 + columns[0]
        block = (first + torch.arange(tall)[:, None] * 16 + torch.arange(wide)).flatten()
        assert image.tolist() == block[:90].tolist()
        assert 0.45 < tall / wide < 2.3


def test_rolling_shows_every_patch_equally_often_and_without_it_the_middle_more() -> None:
    shares = [1 - made(rolled=rolled).hidden.float().mean(0).view(16, 16) for rolled in (True, False)]
    deviation = (90 / 256 * (1 - 90 / 256) / 512) ** 0.5
    assert (shares[0] - 90 / 256).abs().max() < 5 * deviation
    assert shares[1][0, 0] < 0.15 < 0.6 < shares[1][8, 8]


def test_an_image_has_the_same_mask_in_any_batch() -> None:
    whole, part = made(), made(images=3)
    assert torch.equal(part.hidden, whole.hidden[:3]) and torch.equal(part.wanted, whole.wanted[:3])


def test_a_mask_that_asks_for_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"hides 166, and predicted 0\.001 of them are none; make one of"):
        made(predicted=0.001)
    with pytest.raises(ValueError, match="patches of 14 pixels do not cut 14 x 14 into several; set patch"):
        made(side=1)
