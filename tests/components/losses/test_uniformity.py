"""Uniformity: the paper's two lines, values by hand, and where it is best."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn.functional import normalize

from sslgraph.components.losses.uniformity import Uniformity


def test_it_is_the_papers_line_for_each_view() -> None:
    z = normalize(torch.randn(2, 7, 5, dtype=torch.float64), dim=-1)
    expected = sum(torch.pdist(view).pow(2).mul(-3).exp().mean().log() for view in z) / 2
    torch.testing.assert_close(Uniformity(t=3)(z), torch.as_tensor(expected))


def test_orthogonal_features_cost_minus_four_and_one_point_for_all_nothing() -> None:
    assert Uniformity()(torch.eye(6)[None]).item() == pytest.approx(-4)
    alike = torch.eye(6)[:1].expand(1, 6, 6)
    assert Uniformity()(alike).item() == pytest.approx(0) and Uniformity().landmarks(alike) == {"collapsed": 0}


def test_its_gradient_is_finite_where_all_are_one_and_pushes_apart_elsewhere() -> None:
    z = torch.ones(1, 4, 3).requires_grad_()
    Uniformity()(z / math.sqrt(3)).backward()
    assert z.grad is not None and z.grad.isfinite().all()
    near = torch.tensor([[[1.0, 0], [0.9, 0.1]]], requires_grad=True)
    Uniformity()(normalize(near, dim=-1)).backward()
    assert near.grad is not None and -near.grad[0, 0, 1] < 0 < -near.grad[0, 1, 1]


def test_one_image_has_no_pair() -> None:
    with pytest.raises(ValueError, match="compares features over a batch, and this batch has 1 image"):
        Uniformity()(torch.ones(1, 1, 3))
