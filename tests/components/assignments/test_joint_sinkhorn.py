"""Sinkhorn over all rows together: its laws, and equality with Sinkhorn of one view."""

from __future__ import annotations

import torch

from sslgraph.components.assignments.joint_sinkhorn import JointSinkhorn
from sslgraph.components.assignments.sinkhorn import Sinkhorn

SCORES = torch.randn(12, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_rows_sum_to_one_and_prototypes_share_the_rows_nearly_equally() -> None:
    codes = JointSinkhorn(epsilon=1.0)(SCORES)
    torch.testing.assert_close(codes.sum(1), torch.ones(12, dtype=torch.float64))
    torch.testing.assert_close(codes.sum(0), torch.full((4,), 3.0, dtype=torch.float64), atol=0.05, rtol=0.0)


def test_it_is_sinkhorn_of_one_view_with_all_rows() -> None:
    torch.testing.assert_close(JointSinkhorn()(SCORES), Sinkhorn()(SCORES[None])[0])


def test_constant_scores_are_uniform_and_a_prototypes_constant_means_nothing() -> None:
    torch.testing.assert_close(JointSinkhorn()(torch.ones(5, 4)), torch.full((5, 4), 0.25))
    shifted = SCORES + torch.tensor([3.0, -1.0, 0.0, 7.0])
    torch.testing.assert_close(JointSinkhorn()(shifted), JointSinkhorn()(SCORES))


def test_no_rows_are_no_fault() -> None:
    assert JointSinkhorn()(SCORES[:0]).shape == (0, 4)
