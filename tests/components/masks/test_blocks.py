"""Block-wise masks: the authors' loop on the same chances, the counts that are known of it, an image's own ratio."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from sslgraph.components.masks.blocks import MOST, BlockMask
from sslgraph.draws import each, keyed, stream_of, substream, uniform

DRAW = keyed(0, 0, torch.arange(1000))
RATIO = {"uniform": [0.1, 0.5], "p": 0.5}


def images(count: int, side: int = 224) -> Tensor:
    return torch.empty(1).expand(count, 3, side, side)


def loop(wanted: float, chances: list[list[float]], side: int, least: int) -> list[list[bool]]:
    """The loop of the authors' code for one mask: a rectangle is tried ten times before the mask is left as it is."""
    hidden, count, tries, failed = [[False] * side for _ in range(side)], 0, iter(chances), 0
    while count < wanted and failed < 10:
        u = next(tries)
        area = max(0.0, least + u[0] * (wanted - count - least))
        aspect = math.exp(math.log(0.3) + u[1] * (math.log(1 / 0.3) - math.log(0.3)))
        high, wide = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        top, left = math.floor(u[2] * (side - high + 1)), math.floor(u[3] * (side - wide + 1))
        cells = [(i, j) for i in range(top, top + high) for j in range(left, left + wide)]
        new = sum(not hidden[i][j] for i, j in cells) if high < side and wide < side else 0
        failed += 1
        if 0 < new <= wanted - count:
            count, failed = count + new, 0
            for i, j in cells:
                hidden[i][j] = True
    return hidden


@pytest.mark.parametrize(
    ("ratio", "side", "least"), [(75 / 196, 14, None), (RATIO, 14, None), (0.4, 8, 4), (0.4, 8, 1)]
)
def test_masks_are_those_of_the_authors_loop(ratio: object, side: int, least: int | None) -> None:
    draw = DRAW[:100]
    hidden = BlockMask(ratio=ratio, patch=4, least=least)(images(100, 4 * side), draw).hidden
    wanted = each(substream(draw, stream_of("ratio")), ratio) * side**2
    chances = uniform(draw, 4 * MOST).unflatten(1, (MOST, 4))
    expected = [
        loop(count, numbers, side, least or (side // 3) ** 2)
        for count, numbers in zip(wanted.tolist(), chances.tolist(), strict=True)
    ]
    assert torch.equal(hidden, torch.tensor(expected).flatten(1))


def test_beits_masks_hide_75_patches_of_196_in_two_thirds_of_the_cases_and_the_middle_most_often() -> None:
    hidden = BlockMask(ratio=75 / 196)(images(1000), DRAW).hidden
    count, often = hidden.sum(1), hidden.double().mean(0).view(14, 14)
    assert count.max() == 75 and count.min() >= 60
    assert count.double().mean().item() == pytest.approx(74.49, abs=0.2)
    assert (count == 75).double().mean().item() == pytest.approx(0.675, abs=0.05)
    assert often[0, 0].item() == pytest.approx(0.04, abs=0.02) and often[7, 7].item() == pytest.approx(0.73, abs=0.05)


def test_half_of_ibots_masks_hide_nothing_and_the_others_a_tenth_to_a_half() -> None:
    hidden = BlockMask(ratio=RATIO)(images(1000), DRAW).hidden
    wanted = each(substream(DRAW, stream_of("ratio")), RATIO) * 196
    assert torch.equal(hidden.any(1), wanted > 0)
    assert (wanted > 0).double().mean().item() == pytest.approx(0.5, abs=0.05)
    assert (hidden.sum(1) / wanted)[wanted > 0].mean().item() == pytest.approx(0.971, abs=0.01)
    assert hidden.double().mean().item() == pytest.approx(0.146, abs=0.01)


def test_a_mask_is_its_images_own_whatever_stands_beside_it() -> None:
    mask = BlockMask(patch=4)
    assert torch.equal(mask(images(8, 32), DRAW[:8]).hidden[3:5], mask(images(2, 32), DRAW[3:5]).hidden)


def test_a_ratio_may_move_with_a_schedule() -> None:
    mask = BlockMask(patch=4)
    mask.ratio = torch.tensor(0.25)
    assert mask(images(8, 32), DRAW[:8]).hidden.sum(1).max() <= 16


@pytest.mark.parametrize("side", [30, 4])
def test_patches_that_do_not_cut_the_image_are_refused(side: int) -> None:
    with pytest.raises(ValueError, match=rf"patches of 4 pixels do not cut {side} x {side} into .* 8 at the least"):
        BlockMask(patch=4)(images(1, side), DRAW[:1])
