"""Whitening, second moment, its root, and the table of pairs: by hand, by laws, the same on one and on two ranks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from two_ranks import Both, both  # noqa: F401 - a fixture

from sslgraph import collectives
from sslgraph.components.losses.dot_product import DotProduct
from sslgraph.components.losses.regression import Regression
from sslgraph.components.wiring.blend import Blend
from sslgraph.components.wiring.everyone import Everyone
from sslgraph.components.wiring.matrix_power import MatrixPower
from sslgraph.components.wiring.same_index import SameIndex
from sslgraph.components.wiring.second_moment import SecondMoment
from sslgraph.components.wiring.similarity import Similarity
from sslgraph.components.wiring.transpose import Transpose
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


@pytest.mark.parametrize("by", ["cholesky", "zca"])
def test_whitened_over_images_no_two_images_go_together(by: Any) -> None:
    rows = torch.randn(2, 3, 12, dtype=torch.float64)
    for view in Whiten(over="images", by=by)(rows):
        torch.testing.assert_close(view.mean(1), torch.zeros(3, dtype=torch.float64), atol=1e-9, rtol=0)
        torch.testing.assert_close(view.cov(), torch.eye(3, dtype=torch.float64), atol=1e-8, rtol=0)


@pytest.mark.parametrize("over", ["features", "images"])
def test_the_gradient_of_zca_is_right_where_eigenvalues_are_equal(over: Any) -> None:
    """3 images with 6 features, or 6 with 3: the covariance has rank 2, and `shrink` alone lifts 4 eigenvalues."""
    shape = (1, 3, 6) if over == "features" else (1, 6, 3)
    rows = torch.randn(shape, generator=torch.Generator().manual_seed(4), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(Whiten(over=over, by="zca", shrink=0.1), (rows,))


def test_two_images_whitened_by_hand() -> None:
    """Rows without mean and at right angles, of variances 4 and 1: over images each is only scaled."""
    rows = torch.tensor([[[2.0, -2, 2, -2], [1, 1, -1, -1]]]) * (3 / 4) ** 0.5 + torch.tensor([[[7.0], [5.0]]])
    for by in ("cholesky", "zca"):
        white = Whiten(over="images", by=by)(rows)  # type: ignore[arg-type]
        unit = (3 / 4) ** 0.5
        torch.testing.assert_close(white, torch.tensor([[[1.0, -1, 1, -1], [1, 1, -1, -1]]]) * unit)


def test_too_few_features_to_whiten_images_are_refused() -> None:
    with pytest.raises(SettingError, match="3 features can't whiten 12 images: their covariance has no inverse"):
        Whiten(over="images")(ROWS)
    assert Whiten(over="images", shrink=0.1)(ROWS).isfinite().all()


def test_a_power_by_hand() -> None:
    """Eigenvalues 4 and 1 along the diagonals of the plane: 1 and 1/4 of the largest, roots 1 and 1/2."""
    matrix = torch.tensor([[2.5, 1.5], [1.5, 2.5]], requires_grad=True)
    root = MatrixPower(eps=0.0)(matrix)
    torch.testing.assert_close(root, torch.tensor([[0.75, 0.25], [0.25, 0.75]]))
    torch.testing.assert_close(root @ root, matrix / 4)
    torch.testing.assert_close(MatrixPower(eps=0.1)(matrix), root + 0.1 * torch.eye(2))
    torch.testing.assert_close(MatrixPower(power=1.0, eps=0.0)(matrix), (matrix / 4).detach())
    assert not root.requires_grad


def test_what_rounding_does_to_eigenvalues_of_0_stays_small() -> None:
    """Rank 2 of 8: a change of 1e-15 would be one of 3e-8 by the root itself, and is one of 1e-12 at most."""
    rows = torch.randn(2, 8, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    matrix = rows.T @ rows
    matrix = matrix / torch.linalg.eigvalsh(matrix).max()
    power, change = MatrixPower(), 1e-15 * torch.eye(8, dtype=torch.float64)
    assert (power(matrix + change) - power(matrix)).abs().max() < 1e-11
    torch.testing.assert_close(power(matrix), power(7 * matrix), atol=1e-11, rtol=0)
    assert MatrixPower(eps=0.3)(torch.zeros(3, 3)).tolist() == (0.3 * torch.eye(3)).tolist()
    assert power(-matrix).isfinite().all()  # what is below 0 counts as 0


def test_the_table_of_pairs_by_hand() -> None:
    table = SameIndex()(torch.tensor([4, 7, -1]), torch.tensor([7, -1, 4, 4]))
    assert table.tolist() == [[0, 0, 1, 1], [1, 0, 0, 0], [0, 0, 0, 0]]


def test_the_graph_of_pairs_fitted_is_the_spectral_loss() -> None:
    """The mean of (z1 z2^T - n A)^2 over all pairs is -2 z1 . z2 + z1 C2 z1 + n, for n images and the 0/1 table A."""
    (one, other), index = ROWS, torch.arange(12)
    fitted = Regression()(Similarity()(one, other), 12 * SameIndex()(index, index).double())
    spread = DotProduct()(one, Similarity()(one, SecondMoment()(other)))
    torch.testing.assert_close(fitted, spread - 2 * DotProduct()(one, other) + 12)


def test_the_second_moment_by_hand_and_ticos_penalty() -> None:
    rows = torch.tensor([[1.0, 0.0], [3.0, 4.0]])
    moment = SecondMoment()(rows)
    assert moment.tolist() == [[5.0, 6.0], [6.0, 8.0]]
    assert Blend(share=0.9)(torch.ones(2, 2), moment).flatten().tolist() == pytest.approx([1.4, 1.5, 1.5, 1.7])
    # rows C rows^T of each row: 5, and 3 * 39 + 4 * 50
    assert DotProduct()(rows, rows @ moment.T).item() == pytest.approx((5 + 3 * 39 + 4 * 50) / 2)


def test_the_moment_of_two_values_by_hand() -> None:
    """Two images, certain of classes 0 and 1 in one view, and 1 and 1 in the other: half of the time (0, 1), (1, 1)."""
    one, other = torch.eye(2), torch.tensor([[0.0, 1.0], [0.0, 1.0]])
    joint = SecondMoment()(one, other)
    assert joint.tolist() == [[0, 0.5], [0, 0.5]] and joint.T.equal(SecondMoment()(other, one))
    assert Transpose()(joint).equal(joint.T)  # of which the mean with the joint is IIC's
    assert SecondMoment()(one, torch.ones(2, 3)).tolist() == [[0.5, 0.5, 0.5], [0.5, 0.5, 0.5]]
    assert SecondMoment()(one, one).equal(SecondMoment()(one))


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
    one, other = half(ROWS).requires_grad_(), half(ROWS.cos())
    (SecondMoment()(one[0], other[1]).square().sum() / collectives.ranks()).backward()
    assert one.grad is not None
    return [white.detach(), rows.grad, again.grad[None], one.grad]


def cholesky() -> list[Tensor]:
    return moved("cholesky")


def zca() -> list[Tensor]:
    return moved("zca")


def over_images() -> list[Tensor]:
    """Of 12 images with 40 features by zca, by cholesky, and what losses of them send back."""
    whole = torch.randn(2, 12, 40, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    found = []
    for by in ("zca", "cholesky"):
        rows = half(whole).requires_grad_()
        white = Whiten(over="images", by=by)(rows)  # type: ignore[arg-type]
        (white.square() * half(whole.sin())).sum().backward()
        assert rows.grad is not None
        found += [white.detach(), rows.grad]
    return found


def pairs() -> list[Tensor]:
    """The table of this rank's images with those of all ranks."""
    numbers = torch.tensor([[5, 3, 5, 8, 1, 2, 3, 9, 5, 4, 0, 0]])
    return [SameIndex()(half(numbers)[0], Everyone()(half(numbers.flip(1))[0]))[None]]


CHECKS = {"cholesky": cholesky, "zca": zca, "over_images": over_images, "pairs": pairs}


@pytest.mark.parametrize("check", [cholesky, zca, over_images, pairs])
def test_two_ranks_find_what_one_finds(both: Both, check: Any) -> None:  # noqa: F811
    first, second = both(check.__name__)
    for number, (whole, *parts) in enumerate(zip(check(), first, second, strict=True)):
        torch.testing.assert_close(torch.cat(parts, 1), whole, msg=f"{check.__name__} {number}")
