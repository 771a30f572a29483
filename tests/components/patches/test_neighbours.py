"""Pairs of neighbours: the label map, its symmetry, and the entropies of its labels."""

import pytest
import torch

from sslgraph.components.patches.neighbours import Neighbours


def pairs(grid: int, kind: str) -> list[tuple[int, int, int]]:
    """First patch, second patch and label of each pair of one image."""
    found = Neighbours(grid=grid, pairs=kind)(torch.arange(grid**2).float()[:, None])
    return [(*map(int, row), int(label)) for row, label in zip(found.features, found.label, strict=True)]


def test_the_middle_is_asked_for_each_neighbour_once() -> None:
    assert pairs(3, "centre") == [(4, second, label) for label, second in enumerate([0, 1, 2, 3, 5, 6, 7, 8])]


@pytest.mark.parametrize(("grid", "count", "entropy"), [(2, 12, 2.0228), (3, 40, 2.0593), (4, 84, 2.0692)])
def test_all_pairs_are_closed_under_turning_and_have_the_known_entropy(grid: int, count: int, entropy: float) -> None:
    found = pairs(grid, "all")
    assert len(set(found)) == count
    assert {(second, first, 7 - label) for first, second, label in found} == set(found)
    shares = torch.tensor([label for *_, label in found]).bincount(minlength=8).double() / count
    assert -(shares * shares.log()).sum().item() == pytest.approx(entropy, abs=1e-4)


def test_images_keep_to_themselves() -> None:
    features = torch.randn(18, 4)
    both, second = Neighbours()(features), Neighbours()(features[9:])
    assert both.features[8:].equal(second.features) and both.label.tolist() == [*range(8), *range(8)]


def test_a_grid_without_a_middle_and_rows_of_no_grid_are_refused() -> None:
    with pytest.raises(ValueError, match="a grid of 2 x 2 has no middle; write pairs: all"):
        Neighbours(grid=2)
    with pytest.raises(ValueError, match="a grid of 3 has 9 patches, and 10 rows are no multiple"):
        Neighbours()(torch.zeros(10, 2))
