"""Soft cross-entropy: torch's on plain classes, its least value, and weights of places."""

import math

import pytest
import torch
from torch.nn import functional

from sslgraph.components.losses.masked_dino import MaskedDINO
from sslgraph.components.losses.soft_cross_entropy import SoftCrossEntropy
from sslgraph.components.wiring.pick import Pick

LOGITS = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
TARGET = torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(1)).softmax(-1)


def test_it_is_torchs_with_shares_and_with_classes() -> None:
    expected = functional.cross_entropy(LOGITS.flatten(0, 2), TARGET.flatten(0, 2))
    torch.testing.assert_close(SoftCrossEntropy()(LOGITS, TARGET), expected)
    labels = TARGET.argmax(-1)
    one_hot = functional.one_hot(labels, 5).float()
    torch.testing.assert_close(
        SoftCrossEntropy()(LOGITS, one_hot), functional.cross_entropy(LOGITS.flatten(0, 2), labels.flatten())
    )


def test_uniform_scores_are_worth_the_log_of_the_classes_and_less_the_entropy_with_it_taken_off() -> None:
    assert SoftCrossEntropy()(torch.zeros_like(LOGITS), TARGET).item() == pytest.approx(math.log(5))
    entropy = -(TARGET * TARGET.log()).sum(-1).mean().item()
    found = SoftCrossEntropy(minus_entropy=True)(torch.zeros_like(LOGITS), TARGET).item()
    assert found == pytest.approx(math.log(5) - entropy, abs=1e-5)
    best = SoftCrossEntropy(minus_entropy=True)(TARGET.log(), TARGET).item()
    assert best == pytest.approx(0, abs=1e-6)


def test_one_hot_targets_have_no_entropy_and_no_nan() -> None:
    one_hot = functional.one_hot(torch.tensor([[0, 1]]), 32).float()
    found = SoftCrossEntropy(minus_entropy=True)(torch.zeros(1, 2, 32), one_hot).item()
    assert found == pytest.approx(3.4657, abs=1e-4)


def test_a_place_counts_by_its_weight_and_not_at_all_at_0() -> None:
    logits, where = LOGITS.clone().requires_grad_(), torch.ones(2, 3, 4)
    where[1] = 0
    SoftCrossEntropy()(logits, TARGET, where).backward()
    assert logits.grad is not None and logits.grad[1].eq(0).all() and logits.grad[0].abs().sum() > 0
    doubled = SoftCrossEntropy()(LOGITS, TARGET, 2 * torch.ones(2, 3, 4))
    torch.testing.assert_close(doubled, 2 * SoftCrossEntropy()(LOGITS, TARGET))


def test_a_temperature_divides_the_scores() -> None:
    torch.testing.assert_close(
        SoftCrossEntropy(temperature=0.1)(LOGITS, TARGET), SoftCrossEntropy()(10 * LOGITS, TARGET)
    )


def test_on_picked_rows_with_their_weights_it_is_the_masked_loss_of_whole_images() -> None:
    student, teacher = LOGITS.flatten(1, 2).double(), TARGET.flatten(1, 2).double()
    hidden = torch.zeros(2, 12, dtype=torch.bool)
    hidden[0, [1, 4, 5]] = True
    rows, targets = Pick()(student, hidden), Pick()(teacher, hidden)
    assert torch.equal(rows.rows, student[hidden]) and rows.weight.mean().item() == pytest.approx(0.5)
    loss = SoftCrossEntropy(temperature=0.1)(rows.rows, (targets.rows / 0.04).softmax(-1), rows.weight)
    torch.testing.assert_close(loss, MaskedDINO()(student, teacher, hidden))
    none = Pick()(student, torch.zeros_like(hidden))
    assert SoftCrossEntropy()(none.rows, none.rows, none.weight) == 0


def test_weights_of_picked_rows_are_as_exact_as_the_loss() -> None:
    hidden = torch.tensor([[True, True, True]])
    for dtype, expected in ((torch.float64, torch.float64), (torch.bfloat16, torch.float32)):
        assert Pick()(torch.zeros(1, 3, 2, dtype=dtype), hidden).weight.dtype == expected
    two = torch.tensor([[True] * 3, [True, False, False]])
    weight = Pick()(torch.zeros(2, 3, 2, dtype=torch.float64), two).weight
    torch.testing.assert_close(
        weight, torch.tensor([2 / 3, 2 / 3, 2 / 3, 2], dtype=torch.float64), atol=1e-15, rtol=0.0
    )
