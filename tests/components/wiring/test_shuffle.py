import torch

from sslgraph.components.wiring.shuffle import Shuffle, order
from sslgraph.components.wiring.unshuffle import Unshuffle

CLOCK = torch.tensor([5, 1, 12])


def test_on_one_rank_the_order_alone_changes_and_comes_back() -> None:
    rows = torch.randn(6, 3)
    away = Shuffle()(rows, CLOCK)
    assert away.equal(rows[order(CLOCK, 6, 0)]) and not away.equal(rows) and Unshuffle()(away, CLOCK).equal(rows)


def test_the_order_is_a_permutation_that_changes_with_step_and_rank_only() -> None:
    assert order(CLOCK, 16, 0).sort().values.equal(torch.arange(16))
    assert order(CLOCK, 16, 0).equal(order(CLOCK.clone(), 16, 0))
    assert not order(CLOCK, 16, 0).equal(order(CLOCK + torch.tensor([0, 0, 1]), 16, 0))
    assert not order(CLOCK, 16, 0).equal(order(CLOCK, 16, 1))


def test_no_gradient_passes() -> None:
    rows = torch.randn(6, 3, requires_grad=True)
    assert not Shuffle()(rows, CLOCK).requires_grad and not Unshuffle()(rows, CLOCK).requires_grad
