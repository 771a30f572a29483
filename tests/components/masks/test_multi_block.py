"""I-JEPA's masks: rectangles of the step's sizes, a context that holds none of them, equal counts, and refusals."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from sslgraph.components.masks.multi_block import Blocks, MultiBlockMask
from sslgraph.draws import keyed

DRAW = keyed(0, 0, torch.arange(64))


def made(step: int, side: int = 14, rows: slice = slice(None), **settings: object) -> Blocks:
    draw = DRAW[rows]
    mask = MultiBlockMask(patch=4, **settings)
    return mask(torch.empty(1).expand(len(draw), 3, 4 * side, 4 * side), draw, torch.tensor([0, 0, step]))


def box(places: Tensor, side: int = 14) -> tuple[int, int]:
    """Height and width of a block, which must be a whole rectangle."""
    rows, columns = (places // side).unique(), (places % side).unique()
    assert len(rows) * len(columns) == len(places) == len(places.unique())
    assert rows[-1] - rows[0] == len(rows) - 1 and columns[-1] - columns[0] == len(columns) - 1
    return len(rows), len(columns)


def test_all_blocks_of_a_step_are_rectangles_of_one_size_within_the_papers_bounds() -> None:
    sizes = set()
    for step in range(8):
        mask = made(step)
        found = {box(places) for image in mask.wanted for places in image}
        assert len(found) == 1 and mask.wanted.shape[1] == 4
        sizes |= found
    assert len(sizes) > 3
    assert all(20 <= high * wide <= 45 and 0.6 <= high / wide <= 1.8 for high, wide in sizes)


def test_what_is_seen_is_in_no_wanted_block_and_hidden_is_the_rest() -> None:
    mask = made(0)
    assert not mask.hidden.gather(1, mask.seen).any() and mask.hidden.sum(1).eq(196 - mask.seen.shape[1]).all()
    assert mask.hidden.gather(1, mask.wanted.flatten(1)).all()
    assert mask.seen.diff().gt(0).all() and mask.seen.shape[1] >= 10


def test_every_patch_is_seen_and_wanted_now_and_then() -> None:
    masks = [made(step) for step in range(6)]
    seen, wanted = (torch.cat([getattr(m, name).flatten() for m in masks]).unique() for name in ("seen", "wanted"))
    assert len(wanted) == 196 and len(seen) > 180


def test_an_images_blocks_are_its_own_and_only_the_number_of_seen_patches_hangs_on_the_batch() -> None:
    whole, part = made(3), made(3, rows=slice(5, 9))
    assert torch.equal(part.wanted, whole.wanted[5:9])
    assert torch.equal(part.seen[:, : whole.seen.shape[1]], whole.seen[5:9])


def test_small_images_keep_ten_patches_too() -> None:
    assert min(made(step, side=8).seen.shape[1] for step in range(8)) >= 10


def test_blocks_that_cover_everything_are_refused() -> None:
    with pytest.raises(ValueError, match="12 blocks leave nothing of 4 x 4 patches; make scale smaller"):
        made(0, side=4, blocks=12, scale=(0.5, 0.6))
    with pytest.raises(ValueError, match="patches of 4 pixels do not cut 4 x 4 into several; set patch"):
        made(0, side=1)
