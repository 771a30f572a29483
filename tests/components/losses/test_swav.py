import math

import pytest
import torch

from sslgraph.components.losses.swav import SwAV


def slowly(scores: torch.Tensor, codes: torch.Tensor, temperature: float) -> torch.Tensor:
    terms = []
    for i, code in enumerate(codes):
        others = [v for v in range(len(scores)) if v != i]
        costs = [-(code * (scores[v] / temperature).log_softmax(1)).sum(1).mean() for v in others]
        terms.append(torch.stack(costs).mean())
    return torch.stack(terms).mean()


@pytest.mark.parametrize("crops", [2, 5])
def test_codes_of_two_views_are_predicted_by_all_others(crops: int) -> None:
    scores, codes = torch.randn(crops, 3, 7), torch.randn(2, 3, 7).softmax(2)
    torch.testing.assert_close(SwAV(temperature=0.3)(scores, codes), slowly(scores, codes, 0.3))


def test_images_that_score_alike_cost_the_log_of_the_prototypes() -> None:
    scores, codes = torch.zeros(2, 4, 3000), torch.full((2, 4, 3000), 1 / 3000)
    assert SwAV()(scores, codes).item() == pytest.approx(8.006368, abs=1e-4)
    assert SwAV().landmarks(scores, codes) == {"chance": math.log(3000), "collapsed": math.log(3000)}


def test_a_view_does_not_predict_its_own_code() -> None:
    scores = torch.randn(2, 3, 4, requires_grad=True)
    SwAV()(scores, torch.randn(1, 3, 4).softmax(2)).backward()
    assert scores.grad is not None
    assert scores.grad[0].eq(0).all() and scores.grad[1].ne(0).any()


def test_one_view_is_refused() -> None:
    with pytest.raises(ValueError, match="different_views finds no pair among 1 target and 1 predicting views"):
        SwAV()(torch.randn(1, 3, 4), torch.randn(1, 3, 4).softmax(2))


def test_codes_of_a_view_that_is_not_among_the_scores_are_predicted_by_all_views() -> None:
    scores, codes = torch.randn(3, 4, 5), torch.randn(1, 4, 5).softmax(-1)
    expected = -(codes * (scores / 0.1).log_softmax(-1)).sum(-1).mean()
    torch.testing.assert_close(SwAV(pairs="all")(scores, codes), expected)
    torch.testing.assert_close(SwAV()(scores, codes), SwAV(pairs="all")(scores[1:], codes))
