"""The ranked mask: what has the highest scores is hidden, and as many as the ratio says."""

from __future__ import annotations

import pytest
import torch

from sslgraph.components.masks.ranked import RankedMask

SCORES = torch.tensor([[0.1, 0.9, 0.5, 0.7], [4.0, 3.0, 2.0, 1.0]])


def test_the_highest_scores_are_hidden_or_the_lowest() -> None:
    mask = RankedMask(ratio=0.5)(SCORES)
    assert mask.hidden.tolist() == [[False, True, False, True], [True, True, False, False]]
    assert mask.seen.tolist() == [[0, 2], [3, 2]]
    assert RankedMask(ratio=0.5, hide="lowest")(SCORES).hidden.logical_not().equal(mask.hidden)


def test_seen_restore_and_hidden_say_the_same() -> None:
    scores = torch.rand(5, 16)
    mask = RankedMask(ratio=0.7)(scores)
    assert mask.seen.shape == (5, 4) and not mask.hidden.gather(1, mask.seen).any()
    assert torch.equal(mask.restore >= 4, mask.hidden)
    assert torch.equal(torch.where(mask.hidden, scores, 2).amin(1) > torch.where(mask.hidden, -1, scores).amax(1),
                       torch.ones(5, dtype=torch.bool))  # fmt: skip


def test_hiding_everything_is_refused() -> None:
    with pytest.raises(ValueError, match=r"ratio 0\.9 hides all 4 patches; make it smaller"):
        RankedMask(ratio=0.9)(SCORES)
