"""Patches of a grid: where they lie, how far a jitter moves them, and the least image."""

import pytest
import torch
from torch import Tensor

from sslgraph import draws
from sslgraph.components.patches.grid import Grid


def drawn(count: int) -> Tensor:
    return draws.keyed(0, 0, torch.arange(count))


def places(count: int, side: int) -> Tensor:
    """Images whose pixels say their row and column."""
    row = torch.arange(side).float()[:, None].expand(-1, side)
    return torch.stack([row, row.T]).expand(count, -1, -1, -1)


def test_corners_are_margin_and_stride_row_by_row() -> None:
    cut = Grid(grid=2, size=3, stride=5)(places(2, 10), drawn(2))
    assert cut.shape == (8, 2, 3, 3)
    assert cut[:, :, 0, 0].tolist() == [[1, 1], [1, 6], [6, 1], [6, 6]] * 2
    assert cut[1, :, 2, 1].tolist() == [3, 7]


def test_each_patch_has_a_jitter_of_its_own_that_reaches_all_places_evenly() -> None:
    corners = Grid(grid=2, size=3, stride=5, jitter=2)(places(2000, 10), drawn(2000)).view(2000, 4, 2, 3, 3)[..., 0, 0]
    shifts = corners - torch.tensor([[0, 0], [0, 5], [5, 0], [5, 5]])
    assert shifts.unique().tolist() == [0, 1, 2]
    assert shifts.eq(1).double().mean(0).sub(1 / 3).abs().max() < 0.05
    assert shifts.flatten(1).unique(dim=0).shape[0] > 1500


@pytest.mark.parametrize(("grid", "size", "stride", "side"), [(7, 64, 32, 256), (6, 80, 36, 260), (3, 64, 85, 255)])
def test_the_papers_grids_fit_their_images(grid: int, size: int, stride: int, side: int) -> None:
    jitter = 21 if stride == 85 else 0
    part = Grid(grid=grid, size=size, stride=stride, jitter=jitter)
    assert part(torch.zeros(1, 3, side, side), drawn(1)).shape == (grid**2, 3, size, size)
    with pytest.raises(ValueError, match=f"images of at least {side} x {side} pixels for {grid} x {grid} patches"):
        part(torch.zeros(1, 3, side, side - 1), drawn(1))
