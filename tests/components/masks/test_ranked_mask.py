"""The ranked mask: what has the highest scores is hidden, and as many as the ratio says."""

from __future__ import annotations

import pytest
import torch

from sslgraph import draws
from sslgraph.components.masks.ranked import RankedMask

SCORES = torch.tensor([[0.1, 0.9, 0.5, 0.7], [4.0, 3.0, 2.0, 1.0]])
DRAW = draws.keyed(0, 0, torch.arange(400))


def test_the_highest_scores_are_hidden_or_the_lowest() -> None:
    mask = RankedMask(ratio=0.5)(SCORES, DRAW[:2])
    assert mask.hidden.tolist() == [[False, True, False, True], [True, True, False, False]]
    assert mask.seen.tolist() == [[0, 2], [3, 2]]
    assert RankedMask(ratio=0.5, hide="lowest")(SCORES, DRAW[:2]).hidden.logical_not().equal(mask.hidden)


def test_seen_restore_and_hidden_say_the_same() -> None:
    scores = torch.rand(5, 16)
    mask = RankedMask(ratio=0.7)(scores, DRAW[:5])
    assert mask.seen.shape == (5, 4) and not mask.hidden.gather(1, mask.seen).any()
    assert torch.equal(mask.restore >= 4, mask.hidden)
    assert torch.equal(torch.where(mask.hidden, scores, 2).amin(1) > torch.where(mask.hidden, -1, scores).amax(1),
                       torch.ones(5, dtype=torch.bool))  # fmt: skip


def test_hiding_everything_is_refused() -> None:
    with pytest.raises(ValueError, match=r"ratio 0\.9 hides all 4 patches; make it smaller"):
        RankedMask(ratio=0.9)(SCORES, DRAW[:2])


def test_each_image_may_hide_a_share_of_its_own() -> None:
    scores = torch.rand(400, 20)
    mask = RankedMask(ratio={"uniform": [0.25, 0.75], "p": 0.5})(scores, DRAW)
    counts = mask.hidden.sum(1)
    some = counts[counts > 0]
    assert 160 < len(some) < 240 and some.min() == 6 and some.max() == 15 and len(some.unique()) == 10
    assert mask.seen.shape == (400, 0)
    least_hidden = torch.where(mask.hidden, scores, 2).amin(1)
    assert (least_hidden > torch.where(mask.hidden, -1, scores).amax(1)).all()
    again = RankedMask(ratio={"uniform": [0.25, 0.75], "p": 0.5})(scores[7:9], DRAW[7:9])
    assert again.hidden.equal(mask.hidden[7:9])  # an image's share is its own, whatever stands beside it


def test_a_schedule_fills_the_ratio_and_a_patch_stays_seen() -> None:
    assert RankedMask(ratio=torch.tensor(0.5))(SCORES, DRAW[:2]).hidden.sum(1).tolist() == [2, 2]
    assert RankedMask(ratio=torch.tensor(0.9))(SCORES, DRAW[:2]).hidden.sum(1).tolist() == [3, 3]
