"""VICReg's two terms: values by hand, the authors' lines, laws."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import relu

from sslgraph.components.losses.covariance import Covariance
from sslgraph.components.losses.variance import Variance

BAG = torch.randn(2, 16, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def authors(x: Tensor) -> tuple[Tensor, Tensor]:
    """The terms of one view as in facebookresearch/vicreg."""
    x = x - x.mean(dim=0)
    std = torch.sqrt(x.var(dim=0) + 0.0001)
    cov = (x.T @ x) / (len(x) - 1)
    off = cov - torch.diag(torch.diag(cov))
    return torch.mean(relu(1 - std)), off.pow(2).sum().div(x.shape[1])


def test_they_are_the_authors_lines() -> None:
    (v1, c1), (v2, c2) = authors(BAG[0]), authors(BAG[1])
    torch.testing.assert_close(Variance()(BAG), (v1 + v2) / 2)  # std_loss = mean / 2 + mean / 2
    torch.testing.assert_close(2 * Covariance()(BAG), c1 + c2)


def test_values_by_hand() -> None:
    rows = torch.tensor([[[1.0, 1.0], [-1.0, -1.0]]])  # variances 2 and 2, covariance 2
    assert Variance(least=2.0)(rows).item() == pytest.approx(2 - 2.0001**0.5)
    assert Covariance()(rows).item() == pytest.approx((4 + 4) / 2)


def test_constant_features_are_worst_for_one_and_best_for_the_other() -> None:
    rows = torch.ones(2, 8, 3)
    assert Variance()(rows).item() == pytest.approx(Variance().landmarks(rows)["collapsed"])
    assert Covariance()(rows).item() == 0


def test_features_that_vary_enough_cost_nothing_and_get_no_gradient() -> None:
    rows = (10 * BAG).requires_grad_()
    loss = Variance()(rows)
    loss.backward()
    assert loss.item() == 0 and rows.grad is not None and not rows.grad.any()


def test_a_common_shift_changes_nothing() -> None:
    for part in (Variance(), Covariance()):
        torch.testing.assert_close(part(BAG + torch.randn(5, dtype=torch.float64)), part(BAG))


def test_one_image_is_refused() -> None:
    for part, name in ((Variance(), "variance"), (Covariance(), "covariance")):
        with pytest.raises(
            ValueError, match=f"losses.{name} compares features over a batch, and this batch has 1 image"
        ):
            part(torch.ones(2, 1, 3))
