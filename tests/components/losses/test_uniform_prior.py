"""The uniform prior: from 0 to the log of the codes, and torch's divergence between."""

import math

import pytest
import torch
from torch.nn import functional

from sslgraph.components.losses.uniform_prior import UniformPrior


def test_it_is_0_for_a_fair_die_and_log_k_for_a_code_for_certain() -> None:
    assert UniformPrior()(torch.zeros(2, 3, 64)).item() == pytest.approx(0, abs=1e-6)
    certain = 1e4 * functional.one_hot(torch.tensor([[1, 5, 5]]), 64).float()
    assert UniformPrior()(certain).item() == pytest.approx(math.log(64))
    used = UniformPrior().monitors(certain)
    assert used["codes_a_place"].item() == pytest.approx(1, abs=1e-4)
    assert used["codes_used"].item() == pytest.approx(math.exp(math.log(3) - 2 / 3 * math.log(2)), abs=1e-4)


def test_it_is_the_divergence_from_the_uniform_distribution() -> None:
    logits = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(0)).double()
    shares, uniform = logits.softmax(-1), torch.full((2, 3, 5), 0.2).double()
    expected = (shares * (shares / uniform).log()).sum(-1).mean()
    torch.testing.assert_close(UniformPrior()(logits), expected)
