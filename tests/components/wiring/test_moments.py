"""Whitening and the second moment: by hand, by their laws, and the same on one and on two ranks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from two_ranks import Both, both  # noqa: F401 - a fixture

from sslgraph import collectives
from sslgraph.components.losses.dot_product import DotProduct
from sslgraph.components.wiring.blend import Blend
from sslgraph.components.wiring.second_moment import SecondMoment
from sslgraph.components.wiring.whiten import Whiten
from sslgraph.errors import SettingError

ROWS = torch.randn(2, 12, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.mark.parametrize("by", ["cholesky", "zca"])
def test_whitened_views_have_mean_0_and_the_identity_for_covariance(by: Any) -> None:
    for view in Whiten(by=by)(ROWS @ torch.randn(3, 3, dtype=torch.float64) + 5):
        torch.testing.assert_close(view.mean(0), torch.zeros(3, dtype=torch.float64), atol=1e-9, rtol=0)
        torch.testing.assert_close(view.T.cov(), torch.eye(3, dtype=torch.float64), atol=1e-8, rtol=0)


def test_zca_is_the_whitening_that_moves_least_and_cholesky_whitens_feature_by_feature() -> None:
    view = ROWS[:1] * torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64)
    near, far = Whiten(by="zca")(view), Whiten()(view)
    assert (near - view).square().sum() < (far - view).square().sum()
    first = view[0, :, 0] - view[0, :, 0].mean()
    torch.testing.assert_close(far[0, :, 0], first / first.std())  # the first feature is only scaled


def test_shrunk_whole_way_only_the_mean_is_taken_off() -> None:
    torch.testing.assert_close(Whiten(shrink=1.0)(ROWS), ROWS - ROWS.mean(1, keepdim=True))


def test_too_few_images_to_whiten_are_refused() -> None:
    with pytest.raises(SettingError, match="3 images can't whiten 3 features: their covariance has no inverse"):
        Whiten()(ROWS[:, :3])
    assert Whiten(shrink=0.1)(ROWS[:, :3]).isfinite().all()


def test_the_second_moment_by_hand_and_ticos_penalty() -> None:
    rows = torch.tensor([[1.0, 0.0], [3.0, 4.0]])
    moment = SecondMoment()(rows)
    assert moment.tolist() == [[5.0, 6.0], [6.0, 8.0]]
    assert Blend(share=0.9)(torch.ones(2, 2), moment).flatten().tolist() == pytest.approx([1.4, 1.5, 1.5, 1.7])
    # rows C rows^T of each row: 5, and 3 * 39 + 4 * 50
    assert DotProduct()(rows, rows @ moment.T).item() == pytest.approx((5 + 3 * 39 + 4 * 50) / 2)


def half(of: Tensor) -> Tensor:
    """The images of this rank."""
    count = of.shape[1] // collectives.ranks()
    return of[:, count * collectives.rank() :][:, :count].clone()


def moved(by: Any) -> list[Tensor]:
    """Whitened rows, what a loss of them sends back, and the same of the second moment."""
    rows = half(ROWS).requires_grad_()
    white = Whiten(by=by)(rows)
    (white.square() * half(ROWS.sin())).sum().backward()
    assert rows.grad is not None
    again = half(ROWS)[0].requires_grad_()
    moment = SecondMoment()(again)
    (moment.square().sum() / collectives.ranks()).backward()
    assert again.grad is not None
    return [white.detach(), rows.grad, again.grad[None]]


def cholesky() -> list[Tensor]:
    return moved("cholesky")


def zca() -> list[Tensor]:
    return moved("zca")


CHECKS = {"cholesky": cholesky, "zca": zca}


@pytest.mark.parametrize("check", [cholesky, zca])
def test_two_ranks_whiten_as_one_does(both: Both, check: Any) -> None:  # noqa: F811
    first, second = both(check.__name__)
    for name, whole, *parts in zip(("rows", "gradient", "of the moment"), check(), first, second, strict=True):
        torch.testing.assert_close(torch.cat(parts, 1), whole, msg=name)
