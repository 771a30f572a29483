import math

import pytest
import torch

from sslgraph.components.losses.binary import Binary


def test_an_undecided_judge_costs_log_two_for_each_answer() -> None:
    logits = torch.zeros(4, 1)
    both = Binary(target=1.0)(logits) + Binary(target=0.0)(logits)
    assert both.item() == pytest.approx(2 * math.log(2))
    assert Binary().landmarks(logits) == {"chance": math.log(2)}


def test_the_gradient_is_probability_minus_target() -> None:
    logits = torch.tensor([0.0, 2.0], requires_grad=True)
    Binary(target=1.0)(logits).backward()
    torch.testing.assert_close(logits.grad, (logits.detach().sigmoid() - 1) / 2)


def test_a_target_that_is_no_probability_is_refused() -> None:
    with pytest.raises(ValueError, match="must lie from 0 to 1, and it is 2"):
        Binary(target=2.0)
