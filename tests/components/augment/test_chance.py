from __future__ import annotations

import math

import pytest
import torch

from sslgraph.components.augment.chance import checked, chosen
from sslgraph.components.augment.horizontal_flip import HorizontalFlip
from sslgraph.draws import keyed, words


def uniform_words(count: int) -> torch.Tensor:
    return words(keyed(3, 0, torch.arange(count)), 1)[:, 0]


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_the_share_of_chosen_samples_is_the_probability(p: float) -> None:
    share = chosen(uniform_words(20000), p).double().mean().item()
    assert abs(share - p) < 4 * math.sqrt(p * (1 - p) / 20000)


def test_never_and_always_are_exact() -> None:
    extremes = torch.tensor([0, 2**32 - 1])
    assert not chosen(extremes, 0.0).any()
    assert chosen(extremes, 1.0).all()


def test_a_list_has_one_probability_for_each_copy() -> None:
    assert chosen(uniform_words(6), [1.0, 0.0, 1.0]).tolist() == [True, True, False, False, True, True]


def test_a_list_that_is_no_divisor_of_the_rows_is_refused() -> None:
    with pytest.raises(ValueError, match="p lists 2 probabilities"):
        chosen(uniform_words(3), [1.0, 0.0])


@pytest.mark.parametrize("p", [-0.1, 1.5, [0.5, 2.0]])
def test_what_is_no_probability_is_refused(p: float | list[float]) -> None:
    with pytest.raises(ValueError, match="p is a probability between 0 and 1"):
        checked(p)
    with pytest.raises(ValueError, match="p is a probability between 0 and 1"):
        HorizontalFlip(p=p)
