import jaxtyping
import pytest
import torch
from torch import Tensor

from sslgraph.components.assignments.sinkhorn import Sinkhorn


def slowly(scores: Tensor, epsilon: float = 0.05, iterations: int = 3) -> Tensor:
    """The paper's listing, in float64, without a guard against overflow."""
    q = torch.exp(scores.double() / epsilon).T
    q /= q.sum()
    for _ in range(iterations):
        q /= q.sum(1, keepdim=True) * len(q)
        q /= q.sum(0, keepdim=True) * q.shape[1]
    return (q * q.shape[1]).T


def scores(*shape: int) -> Tensor:
    return torch.rand(*shape) * 2 - 1


def test_each_view_is_solved_as_in_the_papers_listing() -> None:
    s = scores(2, 16, 5)
    torch.testing.assert_close(Sinkhorn()(s).double(), torch.stack([slowly(s[0]), slowly(s[1])]), atol=1e-5, rtol=1e-4)


def test_rows_sum_to_one_and_prototypes_share_the_images_nearly() -> None:
    s = scores(1, 64, 8)
    torch.testing.assert_close(Sinkhorn()(s).sum(2), torch.ones(1, 64))
    torch.testing.assert_close(Sinkhorn(iterations=100)(s).sum(1), torch.full((1, 8), 8.0), rtol=1e-3, atol=0)


def test_equal_scores_get_uniform_codes() -> None:
    torch.testing.assert_close(Sinkhorn()(torch.full((1, 6, 10), 0.3)), torch.full((1, 6, 10), 0.1))


def test_a_constant_for_a_prototype_changes_nothing_and_images_may_come_in_any_order() -> None:
    s, order = scores(1, 12, 5), torch.randperm(12)
    torch.testing.assert_close(Sinkhorn()(s + torch.randn(5)), Sinkhorn()(s), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(Sinkhorn()(s[:, order]), Sinkhorn()(s)[:, order])


def test_a_constant_for_an_image_changes_nothing_in_the_limit() -> None:
    s, shift = scores(1, 12, 5), scores(1, 12, 1) * 0.1
    torch.testing.assert_close(Sinkhorn(iterations=300)(s + shift), Sinkhorn(iterations=300)(s), atol=1e-3, rtol=0)


def test_large_scores_do_not_overflow() -> None:
    codes = Sinkhorn(epsilon=0.01)(100 * torch.eye(4)[None])
    torch.testing.assert_close(codes, torch.eye(4)[None])


def test_a_full_queue_takes_part_and_gets_no_code() -> None:
    batch, queue = scores(1, 4, 5), scores(1, 12, 5)
    codes = Sinkhorn()(batch, queue)
    assert codes.shape == (1, 4, 5)
    torch.testing.assert_close(codes[0].double(), slowly(torch.cat([batch[0], queue[0]]))[:4], atol=1e-5, rtol=1e-4)


def test_a_queue_whose_last_row_is_empty_is_left_aside_for_its_view_only() -> None:
    batch, queue = scores(2, 4, 5), scores(2, 12, 5)
    queue[0, -1] = 0
    codes = Sinkhorn()(batch, queue)
    torch.testing.assert_close(codes[0], Sinkhorn()(batch[:1])[0])
    torch.testing.assert_close(codes[1], Sinkhorn()(batch[1:], queue[1:])[0])


def test_no_gradient_passes_and_it_compiles_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    # Dynamo can't trace the shape checks that pytest may put around every part.
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    torch._dynamo.reset()
    batch, queue = scores(2, 4, 5).requires_grad_(), scores(2, 12, 5)
    solver = Sinkhorn()
    codes = torch.compile(solver, backend="eager", fullgraph=True)(batch, queue)
    torch.testing.assert_close(codes, solver(batch, queue))
    assert not codes.requires_grad


@pytest.mark.parametrize("views", [1, 2])
def test_images_and_prototypes_that_match_get_their_own(views: int) -> None:
    codes = Sinkhorn()(torch.eye(6).expand(views, -1, -1))
    assert codes.argmax(2).tolist() == [list(range(6))] * views
