"""Resizing a grid of features: values by hand, laws, tokens against a map, and a refusal."""

from __future__ import annotations

import pytest
import torch

from sslgraph.components.wiring.resize import Resize

NOISE = torch.Generator().manual_seed(0)


def test_half_the_side_reads_four_cells_in_each_direction() -> None:
    weights = torch.tensor([-0.09375, 0.59375, 0.59375, -0.09375])  # Keys' cubic of -0.75, half way between cells
    rows = torch.randn(1, 1, 8, 8, generator=NOISE)
    out = Resize()(rows)
    assert out.shape == (1, 1, 4, 4)
    torch.testing.assert_close(out[0, 0, 1, 2], weights @ rows[0, 0, 1:5, 3:7] @ weights)


@pytest.mark.parametrize("by", [0.5, 0.25, 2.0, 0.75])
@pytest.mark.parametrize("method", ["bicubic", "bilinear"])
def test_what_is_the_same_everywhere_stays_so(by: float, method: str) -> None:
    out = Resize(by=by, method=method, antialias=by < 1)(torch.full((2, 3, 8, 4), 1.5))  # type: ignore[arg-type]
    torch.testing.assert_close(out, torch.full((2, 3, round(8 * by), round(4 * by)), 1.5))


def test_bilinear_halves_are_means_of_four_and_tokens_are_a_map_row_by_row() -> None:
    cells = torch.randn(2, 5, 6, 6, generator=NOISE)
    means = torch.nn.functional.avg_pool2d(cells, 2)
    half = Resize(method="bilinear")
    torch.testing.assert_close(half(cells), means)
    torch.testing.assert_close(half(cells.flatten(2).mT), means.flatten(2).mT)


@pytest.mark.parametrize("shape", [(2, 5, 3), (2, 5), (2, 17, 3)])
def test_what_lies_on_no_square_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"tokens \[batch, tokens, dim\] on a square, .* leave a class token out"):
        Resize()(torch.zeros(shape))
