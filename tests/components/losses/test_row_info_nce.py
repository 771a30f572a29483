"""InfoNCE by rows: a slow version, its number of terms, its values at collapse, and grids that are too small."""

import math

import pytest
import torch

from sslgraph.components.losses.row_info_nce import RowInfoNCE

PREDICTED = torch.randn(2, 5, 4, 6, generator=torch.Generator().manual_seed(0))
TARGETS = torch.randn(2, 5, 4, 3, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("skip", [0, 1])
def test_it_is_the_slow_version(skip: int) -> None:
    costs = []
    for step in (1, 2):
        for image in range(2):
            for row in range(5 - skip - step):
                for column in range(4):
                    scores = TARGETS.flatten(0, 2) @ PREDICTED[image, row, column, (step - 1) * 3 : step * 3]
                    own = (image * 5 + row + skip + step) * 4 + column
                    costs.append(scores.logsumexp(0) - scores[own])
    assert len(costs) == 2 * 4 * sum(5 - skip - step for step in (1, 2))
    torch.testing.assert_close(RowInfoNCE(steps=2, skip=skip)(PREDICTED, TARGETS), torch.stack(costs).mean())


def test_one_target_for_all_is_worth_the_log_of_the_choices() -> None:
    loss = RowInfoNCE(steps=2)
    expected = math.log(2 * 5 * 4)
    assert loss(PREDICTED, torch.ones_like(TARGETS)).item() == pytest.approx(expected, abs=1e-5)
    assert loss.landmarks(PREDICTED, TARGETS) == {"chance": expected, "collapsed": expected}


def test_too_many_steps_and_wrong_widths_are_refused() -> None:
    with pytest.raises(ValueError, match="a grid of 5 rows has no row 5 below its first; lower steps or skip"):
        RowInfoNCE(steps=4)(torch.zeros(1, 5, 4, 12), torch.zeros(1, 5, 4, 3))
    with pytest.raises(ValueError, match="3 steps of 3 features are 9, and predictions have 6"):
        RowInfoNCE(steps=3)(PREDICTED, TARGETS)
