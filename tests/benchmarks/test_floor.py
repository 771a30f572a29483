"""The floor of a step by hand: operations and bytes of a product and of a convolution, forward and backward."""

from __future__ import annotations

import pytest
import torch

from benchmarks.floor import floor


def test_a_product_is_bound_by_arithmetic_or_by_memory() -> None:
    a, b = torch.randn(8, 16), torch.randn(16, 4)
    done, moved = 2 * 8 * 16 * 4, 4 * (8 * 16 + 16 * 4 + 8 * 4)
    assert floor(lambda: a @ b, done, 1e9) == pytest.approx(1.0)
    assert floor(lambda: a @ b, 1e12, moved) == pytest.approx(1.0)
    assert floor(lambda: torch.relu(a) + 1, 1.0, 1.0) == 0.0  # counted as fused into its neighbours


def test_a_convolution_counts_forward_and_both_gradients() -> None:
    net, x = torch.nn.Conv2d(3, 5, 3, padding=1, bias=False), torch.randn(2, 3, 6, 6, requires_grad=True)
    done = 2 * 2 * 5 * 3 * 9 * 36
    assert floor(lambda: net(x).sum().backward(), done, 1e12) == pytest.approx(3.0)
