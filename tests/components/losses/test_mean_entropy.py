"""Mean entropy: its ends, its indifference to how sharp one image is, and the batch that spans two ranks."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional
from two_ranks import Both
from two_ranks import both as both

from sslgraph import collectives
from sslgraph.components.losses.mean_entropy import MeanEntropy

SCORES = torch.randn(3, 4, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_one_prototype_costs_log_k_and_equal_use_nothing_sharp_or_not() -> None:
    one = functional.one_hot(torch.zeros(2, 8, dtype=torch.int64), 8).float()
    assert MeanEntropy(temperature=0.01)(one).item() == pytest.approx(math.log(8))
    each = functional.one_hot(torch.arange(8), 8).float()[None]
    assert MeanEntropy(temperature=0.01)(each).item() == pytest.approx(0, abs=1e-6)
    assert MeanEntropy()(torch.zeros(2, 4, 8)).item() == pytest.approx(0, abs=1e-6)


def test_it_is_the_divergence_of_the_mean_over_views_and_images() -> None:
    mean = (SCORES / 0.1).softmax(-1).mean((0, 1))
    torch.testing.assert_close(MeanEntropy()(SCORES), (mean * (8 * mean).log()).sum())


def value_and_gradient() -> list[torch.Tensor]:
    """Of this rank's half of the images, with the gradient that training would average."""
    mine = SCORES[:, 2 * collectives.rank() : 2 * collectives.rank() + 2].clone().requires_grad_()
    loss = MeanEntropy()(mine)
    loss.backward()
    assert mine.grad is not None
    return [loss.detach(), mine.grad / 2]


CHECKS = {"half": value_and_gradient}


def test_two_ranks_have_the_value_and_the_gradient_of_the_whole_batch(both: Both) -> None:
    scores = SCORES.clone().requires_grad_()
    loss = MeanEntropy()(scores)
    loss.backward()
    halves = both("half")
    assert all(torch.allclose(value, loss, atol=1e-14) for value, _ in halves)
    torch.testing.assert_close(torch.cat([gradient for _, gradient in halves], 1), scores.grad)
