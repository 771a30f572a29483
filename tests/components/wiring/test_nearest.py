"""The nearest row of others, by the angle."""

from __future__ import annotations

import torch

from sslgraph.components.wiring.nearest import Nearest


def test_the_row_with_the_smallest_angle_is_taken_with_unit_length() -> None:
    others = torch.tensor([[10.0, 0.0], [0.0, 2.0], [-1.0, 0.0]])
    rows = torch.tensor([[1.0, 2.0], [-5.0, 1.0], [3.0, 1.0]])
    assert Nearest()(rows, others).tolist() == [[0, 1], [-1, 0], [1, 0]]


def test_it_is_the_slow_search_and_stops_the_gradient() -> None:
    rows, others = torch.randn(6, 4, requires_grad=True), torch.randn(9, 4)
    found = Nearest()(rows, others)
    for row, near in zip(rows, found, strict=True):
        angles = [torch.cosine_similarity(row, other, dim=0).item() for other in others]
        best = others[angles.index(max(angles))]
        torch.testing.assert_close(near, best / best.norm())
    assert not found.requires_grad


def test_a_row_of_the_table_finds_itself() -> None:
    rows = torch.nn.functional.normalize(torch.randn(5, 3), dim=1)
    torch.testing.assert_close(Nearest()(rows, rows), rows)
