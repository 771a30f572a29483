import math

import pytest
import torch
from torch.nn.functional import cross_entropy, normalize

from sslgraph.components.losses.info_nce import InfoNCE


def unit(*shape: int) -> torch.Tensor:
    return normalize(torch.randn(*shape, dtype=torch.float64), dim=-1)


def test_one_negative_at_a_right_angle_costs_the_value_by_hand() -> None:
    query, negative = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    loss = InfoNCE(temperature=0.5)(query, query, negative)
    torch.testing.assert_close(loss, torch.tensor(math.log(1 + math.exp(-2.0))))


def test_the_gradient_of_a_query_is_the_papers() -> None:
    query, key, queue = unit(3, 4).requires_grad_(), unit(3, 4), unit(6, 4)
    InfoNCE(temperature=0.07)(query, key, queue).backward()
    logits = torch.cat([(query * key).sum(1, keepdim=True), query @ queue.T], 1).detach() / 0.07
    p = logits.softmax(1)
    expected = ((p[:, :1] - 1) * key + p[:, 1:] @ queue) / (3 * 0.07)
    torch.testing.assert_close(query.grad, expected)


def test_without_a_queue_the_other_keys_are_the_negatives() -> None:
    query, key = unit(6, 4), unit(6, 4)
    expected = cross_entropy(query @ key.T / 0.2, torch.arange(6))
    torch.testing.assert_close(InfoNCE(temperature=0.2)(query, key), expected)
    torch.testing.assert_close(InfoNCE(temperature=0.2)(query[:1], key[:1]), torch.zeros((), dtype=torch.float64))


def test_rows_that_do_not_count_are_neither_queries_nor_keys() -> None:
    query, key, queue = unit(6, 4).requires_grad_(), unit(6, 4), unit(5, 4)
    where = torch.tensor([True, False, True, True, False, True])
    loss = InfoNCE(temperature=0.2)
    torch.testing.assert_close(loss(query, key, where=where), loss(query[where], key[where]))
    torch.testing.assert_close(loss(query, key, queue, where=where), loss(query[where], key[where], queue))
    none = loss(query, key, where=torch.zeros(6))
    none.backward()
    assert none == 0 and query.grad is not None and query.grad.eq(0).all()
    assert loss.landmarks(query, key, where=where) == {} and loss.landmarks(query, key, queue, where=where)


@pytest.mark.parametrize(("size", "expected"), [(4096, 8.31801), (65536, 11.09037)])
def test_collapse_costs_log_of_one_plus_the_queue(size: int, expected: float) -> None:
    row = torch.tensor([[1.0, 0.0]])
    q, queue = row.repeat(2, 1), row.repeat(size, 1)
    assert InfoNCE()(q, q, queue).item() == pytest.approx(expected, abs=1e-4)
    assert InfoNCE().landmarks(q, q, queue)["collapsed"] == pytest.approx(expected, abs=1e-5)


def test_mocos_symmetric_loss_is_the_sum_of_two_calls_on_one_queue() -> None:
    a, b, queue = unit(4, 3), unit(4, 3), unit(8, 3)
    loss = InfoNCE()
    both = loss(torch.cat([a, b]), torch.cat([b, a]), queue)
    torch.testing.assert_close(loss(a, b, queue) + loss(b, a, queue), 2 * both)
