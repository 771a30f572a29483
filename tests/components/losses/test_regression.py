"""A mean distance of two values: by hand."""

from __future__ import annotations

import pytest
import torch

from sslgraph.components.losses.regression import Regression

PREDICTION, TARGET = torch.tensor([[0.0, 4.0]]), torch.tensor([[0.5, 1.0]])


@pytest.mark.parametrize(
    ("distance", "knee", "value"),
    [
        ("l2", 1.0, (0.25 + 9) / 2),
        ("l1", 1.0, (0.5 + 3) / 2),
        ("smooth_l1", 1.0, (0.125 + 2.5) / 2),
        ("smooth_l1", 2.0, (0.0625 + 2) / 2),
    ],
)
def test_a_value_by_hand(distance: str, knee: float, value: float) -> None:
    assert Regression(distance=distance, knee=knee)(PREDICTION, TARGET).item() == pytest.approx(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("distance", ["l2", "l1", "smooth_l1"])
def test_equal_values_cost_nothing_and_both_sides_are_moved(distance: str) -> None:
    one, other = torch.randn(3, 2, 4, requires_grad=True), torch.randn(3, 2, 4, requires_grad=True)
    loss = Regression(distance=distance)  # type: ignore[arg-type]
    assert loss(one, one).item() == 0
    loss(one, other).backward()
    assert one.grad is not None and other.grad is not None and torch.equal(one.grad, -other.grad)
