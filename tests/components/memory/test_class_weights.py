"""Weights of classes: by hand, their mean over what was seen, and the two ends of the mixture."""

import pytest
import torch

from sslgraph.components.memory.class_weights import ClassWeights

SHARES = torch.tensor([6.0, 2, 0, 0]).view(1, 1, 1, 4) / 8


def test_by_hand() -> None:
    part = ClassWeights(uniform=0.5, classes=4)
    part.add(SHARES)
    raw = torch.tensor([1 / 0.5, 1 / 0.25, 1 / 0.125, 1 / 0.125])  # shares .75, .25, 0, 0 and an even quarter
    expected = raw / (0.75 * raw[0] + 0.25 * raw[1])
    torch.testing.assert_close(part(torch.tensor([[0, 1, 2, 3]])), expected[None])


@pytest.mark.parametrize("uniform", [0.0, 0.3, 1.0])
def test_the_mean_weight_of_what_was_seen_is_1(uniform: float) -> None:
    part = ClassWeights(uniform=uniform, classes=4)
    for _ in range(2):
        part.add(torch.rand(2, 3, 3, 4))
    assert (part.counts / part.counts.sum() * part.weights()).sum().item() == pytest.approx(1, abs=1e-9)


def test_even_weights_before_the_first_write_and_where_all_is_uniform() -> None:
    part = ClassWeights(uniform=1.0, classes=4)
    assert part(torch.tensor([0, 3])).tolist() == [1, 1]
    part.add(SHARES)
    assert part(torch.tensor([0, 3])).tolist() == [1, 1]


def test_a_label_that_is_none_weighs_nothing_and_empty_shares_count_nothing() -> None:
    part = ClassWeights(classes=4)
    part.add(torch.zeros(1, 1, 1, 4))
    assert part(torch.tensor([-100, 1])).tolist() == [0, 1] and part.counts.sum() == 0
