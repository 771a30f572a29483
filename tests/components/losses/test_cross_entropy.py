import math

import pytest
import torch
from torch.nn import functional

from sslgraph.components.losses.cross_entropy import CrossEntropy


def test_it_is_the_mean_over_labelled_images() -> None:
    logits, labels = torch.randn(4, 3), torch.tensor([0, -100, 2, 1])
    kept = labels >= 0
    torch.testing.assert_close(CrossEntropy()(logits, labels), functional.cross_entropy(logits[kept], labels[kept]))


def test_places_count_as_much_as_where_says() -> None:
    logits, labels = torch.randn(2, 5, 3), torch.randint(3, (2, 5))
    where = torch.tensor([[1, 0, 0, 1, 1], [0, 0, 0, 0, 1]]).bool()
    torch.testing.assert_close(
        CrossEntropy()(logits, labels, where), functional.cross_entropy(logits[where], labels[where])
    )


def test_nothing_to_name_costs_nothing_and_has_a_finite_gradient() -> None:
    logits = torch.randn(2, 3, requires_grad=True)
    loss = CrossEntropy()(logits, torch.tensor([-100, -100]))
    loss.backward()
    assert loss.item() == 0 and logits.grad is not None and logits.grad.eq(0).all()


def test_uniform_guessing_costs_the_log_of_the_classes() -> None:
    logits, labels = torch.zeros(4, 10000), torch.arange(4)
    assert CrossEntropy()(logits, labels).item() == pytest.approx(9.210340, abs=1e-4)
    assert CrossEntropy().landmarks(logits, labels) == {"chance": math.log(10000)}
