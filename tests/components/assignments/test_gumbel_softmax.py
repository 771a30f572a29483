"""Gumbel-softmax: how often a code is drawn, what the temperature does, and the gradient that passes."""

import torch

from sslgraph.components.assignments.gumbel_softmax import GumbelSoftmax
from sslgraph.draws import keyed

ROWS = 500
DRAW = keyed(0, 0, torch.arange(ROWS))
CHANCES = torch.tensor([0.5, 0.3, 0.15, 0.05])
LOGITS = CHANCES.log().expand(ROWS, 20, 4)


def test_a_code_is_the_largest_as_often_as_its_probability_says_at_any_temperature() -> None:
    soft, hard = (GumbelSoftmax(temperature=value)(LOGITS, DRAW) for value in (1.0, 0.05))
    found = torch.bincount(soft.argmax(-1).flatten(), minlength=4) / (ROWS * 20)
    torch.testing.assert_close(found, CHANCES, atol=0.015, rtol=0.0)  # three deviations of 10,000 draws
    assert torch.equal(soft.argmax(-1), hard.argmax(-1))
    torch.testing.assert_close(hard.sum(-1), torch.ones(ROWS, 20))
    assert hard.amax(-1).mean() > 0.97 > 0.8 > soft.amax(-1).mean()


def test_the_same_image_draws_the_same_in_any_batch_and_another_epoch_draws_anew() -> None:
    whole = GumbelSoftmax()(LOGITS, DRAW)
    assert torch.equal(GumbelSoftmax()(LOGITS[7:9], DRAW[7:9]), whole[7:9])
    assert not torch.equal(GumbelSoftmax()(LOGITS, keyed(0, 1, torch.arange(ROWS))), whole)


def test_a_gradient_passes_to_all_scores_of_a_place() -> None:
    logits = LOGITS.clone().requires_grad_()
    GumbelSoftmax()(logits, DRAW)[..., 0].sum().backward()
    assert logits.grad is not None and logits.grad.abs().amin(-1).gt(0).float().mean() > 0.99
    torch.testing.assert_close(logits.grad.sum(-1), torch.zeros(ROWS, 20), atol=1e-6, rtol=0.0)
