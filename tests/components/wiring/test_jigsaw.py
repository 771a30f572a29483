import hashlib
import itertools
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from sslgraph import draws
from sslgraph.components.wiring.jigsaw import Jigsaw
from sslgraph.components.wiring.orders import chosen, numbered


def drawn(count: int, seed: int = 0) -> Tensor:
    return draws.keyed(seed, 0, torch.arange(count))


def distances(orders: Tensor) -> Tensor:
    table = (orders[:, None] != orders[None]).sum(2)
    return table[~torch.eye(len(orders), dtype=torch.bool)]


def numbered_cells(images: int, cell: int, grid: int) -> Tensor:
    """Images whose every pixel says in which cell, row and column it lies."""
    side = torch.arange(cell * grid)
    row, column = side[:, None].expand(-1, len(side)), side.expand(len(side), -1)
    number = row // cell * grid + column // cell
    return torch.stack([number, row, column]).float().expand(images, -1, -1, -1)


@pytest.mark.parametrize(
    ("choose", "grid", "count", "least"),
    [
        ("max_min", 3, 100, 6),
        ("max_mean", 3, 100, 2),
        ("algebraic", 3, 72, 8),
        ("algebraic", 3, 504, 7),
        ("algebraic", 2, 12, 3),
        ("all", 2, 24, 2),
    ],
)
def test_a_set_holds_different_permutations_at_their_known_least_distance(
    choose: str, grid: int, count: int, least: int
) -> None:
    orders = Jigsaw(choose=choose, grid=grid, permutations=count, tile=8).orders
    assert orders.sort(1).values.eq(torch.arange(grid**2)).all()
    assert len(orders.unique(dim=0)) == count
    assert distances(orders).min() == least


def test_affine_orders_are_at_the_known_mean_distance_and_balance_every_position() -> None:
    orders = Jigsaw(choose="algebraic", permutations=72).orders
    assert distances(orders).double().mean().item() == pytest.approx(8.1127, abs=1e-4)
    assert all(column.bincount().tolist() == [8] * 9 for column in orders.T)


@pytest.mark.parametrize(
    ("count", "known"), [(72, "7d9e2233d4adcee8"), (504, "16bdbe53919bdc56"), (1512, "ba34a7a9650a3847")]
)
def test_algebraic_orders_are_the_known_groups(count: int, known: str) -> None:
    rows = np.array(chosen("algebraic", 9, count), dtype=np.uint8)
    assert hashlib.sha256(rows.tobytes()).hexdigest()[:16] == known
    assert all(column.tolist() == [count // 9] * 9 for column in map(np.bincount, rows.T))


def test_the_mean_distance_reaches_its_bound_by_max_mean_only() -> None:
    means = [distances(Jigsaw(choose=choose).orders).double().mean().item() for choose in ("max_mean", "max_min")]
    assert means[0] == pytest.approx(8.08, abs=1e-4) and means[1] < 8.079


def test_a_number_means_its_permutation_in_lexicographic_order() -> None:
    assert numbered(torch.arange(120), 5).tolist() == [list(order) for order in itertools.permutations(range(5))]
    assert numbered(torch.tensor([0, 362_879]), 9).tolist() == [list(range(9)), list(range(8, -1, -1))]


def test_all_orders_of_nine_tiles_need_no_table() -> None:
    part = Jigsaw(tile=5, permutations=362_880, choose="all", standardize=False)
    tiles, label = part(numbered_cells(6, 8, 3), drawn(6))
    assert part.state_dict() == {} and len(label.unique()) == 6
    assert tiles.view(6, 9, 3, 5, 5)[:, :, 0, 0, 0].equal(numbered(label, 9).float())


def test_affine_orders_of_two_by_two_are_the_even_permutations() -> None:
    orders = Jigsaw(choose="algebraic", grid=2, permutations=12, tile=8).orders
    swaps = [sum(o[i] > o[j] for i in range(4) for j in range(i + 1, 4)) for o in orders.tolist()]
    assert all(count % 2 == 0 for count in swaps)


def test_position_s_holds_the_tile_that_the_order_names_cut_within_its_cell() -> None:
    part = Jigsaw(tile=5, permutations=10, standardize=False)
    tiles, label = part(numbered_cells(6, 8, 3), drawn(6))
    tiles = tiles.view(6, 9, 3, 5, 5)
    assert tiles[:, :, 0].eq(part.orders[label][:, :, None, None]).all()
    assert tiles[:, :, 1].diff(dim=2).eq(1).all() and tiles[:, :, 2].diff(dim=3).eq(1).all()


def test_a_tile_lies_at_the_same_place_whatever_position_it_is_shown_at() -> None:
    one, other = Jigsaw(tile=5, permutations=10, standardize=False), Jigsaw(tile=5, permutations=10, standardize=False)
    other.orders = torch.arange(9).repeat(10, 1)
    images, draw = torch.rand(4, 3, 24, 24), drawn(4)
    shuffled, label = one(images, draw)
    straight = other(images, draw).tiles.view(4, 9, 3, 5, 5)
    back = shuffled.view(4, 9, 3, 5, 5)[torch.arange(4)[:, None], one.orders[label].argsort(1)]
    assert back.equal(straight)


def test_places_and_labels_are_drawn_evenly() -> None:
    tiles, label = Jigsaw(tile=6, permutations=10, standardize=False)(numbered_cells(2000, 8, 3), drawn(2000))
    offset = tiles.view(2000, 9, 3, 6, 6)[:, :, 1, 0, 0] % 8
    assert offset.unique().tolist() == [0, 1, 2]
    assert offset.eq(0).double().mean().item() == pytest.approx(1 / 3, abs=0.02)
    assert label.bincount(minlength=10).sub(200).abs().max() < 5 * math.sqrt(200)


def test_each_tile_is_standardised_by_itself_and_one_of_one_colour_is_zero() -> None:
    images = torch.rand(2, 3, 24, 24) * 9
    images[1] = 7
    tiles = Jigsaw(tile=5, permutations=10)(images, drawn(2)).tiles.reshape(2, 9, -1)
    torch.testing.assert_close(tiles[0].mean(1), torch.zeros(9), atol=1e-5, rtol=0)
    torch.testing.assert_close(tiles[0].std(1, correction=0), torch.ones(9), atol=1e-4, rtol=0)
    assert tiles[1].eq(0).all()


def test_a_wrong_number_of_permutations_is_refused() -> None:
    with pytest.raises(ValueError, match=r"algebraic knows 72 or 504 or 1512 permutations of 9 tiles, and .* is 100"):
        Jigsaw(choose="algebraic", permutations=100)
    with pytest.raises(ValueError, match="all knows 362880 permutations of 9 tiles; set permutations: 362880"):
        Jigsaw(choose="all", permutations=100)
    with pytest.raises(ValueError, match="4 tiles have 24 permutations, and 25 are asked for"):
        Jigsaw(grid=2, permutations=25)


def test_a_tile_larger_than_its_cell_is_refused() -> None:
    with pytest.raises(ValueError, match=r"cuts tiles of 9 pixels from cells of 8 x 8; .* at least 27 pixels a side"):
        Jigsaw(tile=9, permutations=10)(torch.zeros(1, 3, 24, 24), drawn(1))


def test_a_grid_of_four_is_refused() -> None:
    with pytest.raises(ValueError, match="2 x 2 or 3 x 3 tiles, and grid is 4"):
        Jigsaw(grid=4)
