"""Label-free measures against spectra that are known exactly, and the cases in which each of them misleads."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from sslgraph.pipelines.measure.spectra import alpha_req, lidar, rankme, signal


def with_spectrum(values: Tensor, rows: int) -> Tensor:
    """Rows that are centred and have exactly these singular values."""
    noise = torch.randn(rows, len(values), dtype=torch.float64)
    left = torch.linalg.qr(noise - noise.mean(0))[0]
    return left * values @ torch.linalg.qr(torch.randn(len(values), len(values), dtype=torch.float64))[0]


def test_rankme_counts_equal_singular_values_and_gives_one_for_a_constant_and_zero_for_nothing() -> None:
    assert rankme(with_spectrum(torch.tensor([1.0] * 7 + [0.0] * 9).double(), 200)) == pytest.approx(7, rel=1e-3)
    assert rankme(torch.ones(100, 16)) == pytest.approx(1, abs=1e-3) and rankme(torch.zeros(100, 16)) == 0


def test_rankme_of_gaussian_features_grows_with_the_number_of_images() -> None:
    few, many = rankme(torch.randn(128, 128)), rankme(torch.randn(2048, 128))
    assert 95 < few < 110 and 124 < many < 128


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
def test_alpha_of_an_exact_power_law_is_found(alpha: float) -> None:
    values = torch.arange(1, 151, dtype=torch.float64) ** (-alpha / 2)
    assert alpha_req(with_spectrum(values, 400)) == pytest.approx(alpha, abs=1e-6)


def test_alpha_is_undefined_with_fewer_than_a_hundred_eigenvalues_and_small_for_white_noise() -> None:
    assert alpha_req(torch.randn(500, 64)) is None and alpha_req(torch.ones(500, 200)) is None
    assert alpha_req(with_spectrum(torch.tensor([1.0] * 20 + [0.0] * 130).double(), 300)) is None
    assert abs(alpha_req(torch.randn(20_000, 150)) or 9) < 0.2


def views(signal: Tensor, noise: float, count: int = 10) -> Tensor:
    return signal[:, None] + noise * torch.randn(len(signal), count, signal.shape[1])


def test_lidar_counts_the_directions_that_images_differ_in_beyond_what_views_do() -> None:
    signal = torch.zeros(500, 32)
    signal[:, :8] = torch.randn(500, 8) * 3
    assert 6.5 < lidar(views(signal, 0.1)) < 9
    line = torch.zeros(500, 32)
    line[:, 0] = torch.randn(500) * 10
    assert lidar(views(line, 0.1)) < 1.5


def test_lidar_takes_views_without_anything_in_common_for_perfect_ones() -> None:
    perfect, noise = lidar(views(torch.randn(500, 32), 0.01)), lidar(views(torch.zeros(500, 32), 1.0))
    assert abs(perfect - noise) < 1.5 and noise > 28


def test_the_signal_beside_lidar_tells_them_apart() -> None:
    assert signal(views(torch.zeros(500, 32), 1.0)) == pytest.approx(0.1, rel=0.1)  # 1 / views
    assert signal(views(torch.randn(500, 32), 0.1)) == pytest.approx(100, rel=0.1)
    assert signal(torch.tensor([[[0.0], [2.0]], [[4.0], [6.0]]])) == pytest.approx(8 / 2)
    assert signal(torch.randn(3, 1, 4).expand(3, 5, 4)) == float("inf") and signal(torch.ones(3, 5, 4)) is None
