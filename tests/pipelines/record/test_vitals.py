"""Statistics of features against values by hand and the reference values of known distributions."""

from __future__ import annotations

import math

import pytest
import torch

from sslgraph.pipelines.record.vitals import ROWS, effective_rank, pair, rows_of, vitals


def rank(rows: torch.Tensor) -> float:
    return effective_rank(vitals(rows)["gram"])


def test_equal_rows_have_no_spread_one_direction_and_full_cosine() -> None:
    found = vitals(torch.ones(50, 8) * 3)
    assert (
        found["std"] < 1e-6
        and found["cosine"] == pytest.approx(1.0)
        and effective_rank(found["gram"]) == pytest.approx(1)
    )


def test_uniform_directions_have_a_std_of_one_over_the_root_of_the_dimension() -> None:
    found = vitals(torch.randn(4000, 64))
    assert found["std"] == pytest.approx(1, abs=0.01) and abs(found["cosine"]) < 0.01


def test_two_opposite_points_have_spread_and_only_the_rank_tells() -> None:
    direction = torch.nn.functional.normalize(torch.randn(64), dim=0)
    rows = torch.cat([direction.expand(50, -1), -direction.expand(50, -1)])
    assert vitals(rows)["std"] > 0.7 and rank(rows) == pytest.approx(1)


@pytest.mark.parametrize("shape", [(100, 16), (16, 100)])
def test_orthogonal_rows_have_full_rank_whichever_side_is_longer(shape: tuple[int, int]) -> None:
    rows = torch.linalg.qr(torch.randn(*shape) if shape[0] > shape[1] else torch.randn(shape[1], shape[0]))[0]
    assert rank(rows if shape[0] > shape[1] else rows.T) == pytest.approx(16, rel=1e-3)


def test_the_rank_is_rankme_of_the_rows() -> None:
    rows = torch.randn(200, 32) * torch.arange(1, 33) ** -1.0
    shares = torch.linalg.svdvals(rows.double())
    shares = shares / shares.sum()
    assert rank(rows) == pytest.approx(float((-(shares * shares.log()).sum()).exp()), rel=1e-3)


def test_the_rank_of_what_is_not_finite_is_no_number_and_of_nothing_zero() -> None:
    assert math.isnan(effective_rank(torch.full((4, 4), float("nan")))) and effective_rank(torch.zeros(4, 4)) == 0


def test_alignment_and_uniformity_by_hand() -> None:
    east, north = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    same = pair(torch.cat([east, north]), torch.cat([east, north]))
    assert same["align"] == 0 and same["uniform"] == pytest.approx(-4.0)  # their squared distance is 2
    assert pair(torch.cat([east, north]), torch.cat([north, east]))["align"] == pytest.approx(2.0)
    assert pair(east.expand(5, -1), east.expand(5, -1))["uniform"] == pytest.approx(0.0, abs=1e-6)


def test_rows_are_drawn_of_tokens_and_maps_too() -> None:
    assert rows_of(torch.arange(1000.0)[:, None]).shape == (256, 1)
    maps = torch.arange(2 * 3 * 2 * 2).reshape(2, 3, 2, 2).float()
    assert rows_of(maps).tolist()[:2] == [maps[0, :, 0, 0].tolist(), maps[0, :, 0, 1].tolist()]
    assert rows_of(torch.zeros(64, 50, 7)).shape[1] == 7 and len(rows_of(torch.zeros(64, 50, 7))) <= ROWS
