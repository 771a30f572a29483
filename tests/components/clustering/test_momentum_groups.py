"""Groups that move to the rows that join them: by hand, their gradient, and the same on two ranks."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize
from two_ranks import Both, both  # noqa: F401 - a fixture

from sslgraph import collectives
from sslgraph.components.clustering.momentum_groups import MomentumGroups

GROUPS = normalize(torch.randn(3, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64), dim=1)
ROWS = normalize(torch.randn(8, 4, generator=torch.Generator().manual_seed(2), dtype=torch.float64), dim=1)


def test_a_group_moves_to_the_mean_of_its_rows_and_one_without_rows_stays() -> None:
    groups = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    rows = torch.tensor([[0.8, 0.6], [0.6, 0.8], [0.28, 0.96]])
    moved = MomentumGroups(momentum=0.5)(rows, groups)
    assert moved.labels.tolist() == [0, 1, 1]
    expected = normalize(torch.tensor([[0.9, 0.3], [0.22, 0.94], [0.0, -1.0]]), dim=1)
    torch.testing.assert_close(moved.groups, expected)


def test_labels_say_which_group_a_row_joins() -> None:
    labels = torch.tensor([2, 2, 2, 2, 2, 2, 2, 2])
    moved = MomentumGroups(momentum=0.0)(ROWS, GROUPS, labels)
    assert torch.equal(moved.labels, labels) and torch.equal(moved.groups[:2], GROUPS[:2])
    torch.testing.assert_close(moved.groups[2], normalize(ROWS.mean(0), dim=0))


def worked() -> list[Tensor]:
    count = len(ROWS) // collectives.ranks()
    rows = ROWS[count * collectives.rank() :][:count].clone().requires_grad_()
    moved = MomentumGroups(momentum=0.9)(rows, GROUPS)
    (moved.groups.cumsum(1).square().sum() / collectives.ranks()).backward()
    assert rows.grad is not None
    return [moved.labels, rows.grad, moved.groups.detach()]


CHECKS = {"worked": worked}


def test_two_ranks_move_groups_as_one_does(both: Both) -> None:  # noqa: F811
    first, second = both("worked")
    labels, gradient, groups = worked()
    assert torch.equal(torch.cat([first[0], second[0]]), labels) and gradient.abs().max() > 0
    torch.testing.assert_close(torch.cat([first[1], second[1]]), gradient)
    torch.testing.assert_close(first[2], groups)
    torch.testing.assert_close(second[2], groups)
