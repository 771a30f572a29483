"""Squares of several patches are hidden and seen as a whole (SimMIM)."""

from __future__ import annotations

import pytest
import torch

from sslgraph.components.masks.uniform import UniformMask
from sslgraph.draws import keyed

DRAW = keyed(0, 0, torch.arange(5))


@pytest.mark.parametrize(("side", "hidden"), [(192, 22), (224, 30)])
def test_the_papers_images_hide_as_many_squares_as_the_papers_code(side: int, hidden: int) -> None:
    mask = UniformMask(ratio=0.6, patch=16, unit=32)(torch.empty(5, 3, side, side), DRAW)
    assert (mask.hidden.sum(1) == 4 * hidden).all()  # four patches of 16 in a square of 32; ceil(0.6 n) squares


def test_a_square_is_hidden_or_seen_as_a_whole() -> None:
    mask = UniformMask(ratio=0.5, patch=4, unit=8)(torch.empty(5, 3, 16, 16), DRAW)
    squares = mask.hidden.view(5, 2, 2, 2, 2).permute(0, 1, 3, 2, 4).flatten(3)
    assert (squares.all(-1) | ~squares.any(-1)).all() and (squares.all(-1).sum((1, 2)) == 2).all()


def test_seen_patches_then_hidden_ones_come_back_by_restore() -> None:
    mask = UniformMask(ratio=0.5, patch=4, unit=8)(torch.empty(5, 3, 16, 16), DRAW)
    assert torch.equal(mask.hidden.gather(1, mask.seen), torch.zeros_like(mask.seen, dtype=torch.bool))
    order = mask.restore.argsort(1)
    assert torch.equal(order[:, : mask.seen.shape[1]], mask.seen)


def test_a_unit_of_one_patch_is_no_unit() -> None:
    plain, unit = (UniformMask(patch=4, unit=unit)(torch.empty(5, 3, 16, 16), DRAW) for unit in (None, 4))
    assert all(torch.equal(one, other) for one, other in zip(plain, unit, strict=True))


def test_squares_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="squares of 24 pixels are not made of patches of 16"):
        UniformMask(patch=16, unit=24)
    with pytest.raises(ValueError, match="squares of 32 pixels do not divide 48 x 48; set unit"):
        UniformMask(patch=16, unit=32)(torch.empty(1, 3, 48, 48), DRAW[:1])
