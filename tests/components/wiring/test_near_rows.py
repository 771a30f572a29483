"""Neighbours, rows mixed of them, matches of two views: by hand and by slow search."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import normalize

from sslgraph import draws
from sslgraph.components.losses.info_nce import InfoNCE
from sslgraph.components.masks.cell_places import CellPlaces
from sslgraph.components.wiring.append import Append
from sslgraph.components.wiring.gaussian_noise import GaussianNoise
from sslgraph.components.wiring.look_up import LookUp
from sslgraph.components.wiring.matches import Matches
from sslgraph.components.wiring.mixed_rows import MixedRows
from sslgraph.components.wiring.nearest import Nearest
from sslgraph.components.wiring.neighbours import Neighbours
from sslgraph.draws import keyed
from sslgraph.errors import SettingError

DRAW = keyed(3, 0, torch.arange(2))


def test_the_first_neighbour_is_the_nearest_row_and_the_others_follow() -> None:
    rows, others = torch.randn(4, 3, requires_grad=True), torch.randn(9, 3)
    found, index = Neighbours(count=4)(rows, others)
    torch.testing.assert_close(found[:, 0], Nearest()(rows, others))
    cosines = torch.cosine_similarity(rows[:, None], others[None], dim=2).sort(1, descending=True).values
    torch.testing.assert_close(torch.cosine_similarity(rows[:, None], found, dim=2), cosines[:, :4])
    assert not found.requires_grad
    torch.testing.assert_close(normalize(LookUp()(others, index), dim=2), found)


def test_rows_are_looked_up_by_number_and_a_number_below_0_is_none() -> None:
    table = torch.tensor([[1.0, 2], [3, 4], [5, 6]], requires_grad=True)
    found = LookUp()(table, torch.tensor([[2, 0], [-1, 2]]))
    assert found.tolist() == [[[5, 6], [1, 2]], [[0, 0], [5, 6]]]
    found.sum().backward()
    assert table.grad is not None and table.grad.tolist() == [[1, 1], [0, 0], [2, 2]]
    assert LookUp()(torch.tensor([7, 8, 9]), torch.tensor([1, -1])).tolist() == [8, -1]  # none has no class
    assert LookUp()(torch.tensor([True, True]), torch.tensor([1, -1])).tolist() == [True, False]


def test_more_neighbours_than_rows_are_refused() -> None:
    with pytest.raises(SettingError, match="9 rows have no 10 neighbours"):
        Neighbours(count=10)(torch.randn(2, 3), torch.randn(9, 3))


def test_mixed_rows_lie_between_rows_of_their_image() -> None:
    rows = normalize(torch.randn(2, 2, 3), dim=2)
    made = MixedRows(count=40)(rows, DRAW)
    parts = torch.linalg.lstsq(rows.transpose(1, 2), made.transpose(1, 2)).solution  # of both rows, never below 0
    torch.testing.assert_close((rows.transpose(1, 2) @ parts).transpose(1, 2), made)
    assert parts.min() > -1e-5 and len(made.unique(dim=1)[0]) > 10
    torch.testing.assert_close(made.norm(dim=2), torch.ones(2, 40))
    assert torch.equal(MixedRows(count=40)(rows[1:], DRAW[1:]), made[1:])  # an image draws for itself


def test_an_anchor_has_at_most_its_share() -> None:
    rows, anchor = torch.tensor([[[1.0, 0.0]]]).expand(2, 4, 2), torch.tensor([[0.0, 1.0]]).expand(2, 2)
    made = MixedRows(count=400, share=(0.1, 0.5))(rows, DRAW, anchor)
    share = made[..., 1] / made.sum(2)
    assert 0.1 <= share.min() < 0.11 and 0.49 < share.max() <= 0.5


def test_a_share_below_0_leads_beyond_the_row_and_one_above_1_beyond_the_anchor() -> None:
    """SynCo's anchor + b (row - anchor), b between 1 and 1.5, with the row at (1, 0) and the anchor at (0, 1)."""
    rows, anchor = torch.tensor([[[1.0, 0.0]]]).expand(2, 4, 2), torch.tensor([[0.0, 1.0]]).expand(2, 2)
    made = MixedRows(count=400, share=(-0.5, 0.0))(rows, DRAW, anchor)
    factor = made[..., 0] / made.sum(2)
    assert 1 <= factor.min() < 1.01 and 1.49 < factor.max() <= 1.5
    torch.testing.assert_close(made, normalize(torch.stack([factor, 1 - factor], 2), dim=2))
    beyond = MixedRows(count=40, share=(1.5, 1.5))(rows, DRAW, anchor)
    torch.testing.assert_close(beyond, normalize(torch.tensor([-0.5, 1.5]), dim=0).expand(2, 40, 2))


def test_shares_in_disorder_are_refused() -> None:
    with pytest.raises(ValueError, match=r"share goes from 0\.5 to -0\.5; write the smaller one first"):
        MixedRows(count=4, share=(0.5, -0.5))


def test_each_image_draws_noise_of_its_own_and_the_gradient_passes() -> None:
    rows = torch.ones(2, 3, 400, requires_grad=True)
    made = GaussianNoise(scale=0.1)(rows, DRAW)
    drawn = (made - rows) / 0.1
    torch.testing.assert_close(drawn, draws.normal(DRAW, 1200).float().view(2, 3, 400), atol=1e-5, rtol=1e-5)
    assert abs(drawn.mean()) < 0.1 and abs(drawn.std() - 1) < 0.1
    assert torch.equal(GaussianNoise(scale=0.1)(rows[1:], DRAW[1:]), made[1:])
    made.sum().backward()
    assert rows.grad is not None and rows.grad.eq(1).all()
    assert torch.equal(GaussianNoise(scale=0.0)(rows[:, 0], DRAW), rows[:, 0])


def test_own_negatives_count_for_their_query_alone() -> None:
    query, key, queue, own = (normalize(torch.randn(*shape), dim=-1) for shape in ((2, 3), (2, 3), (5, 3), (2, 4, 3)))
    whole = InfoNCE()(query, key, queue, own)
    single = [InfoNCE()(query[n : n + 1], key[n : n + 1], torch.cat([queue, own[n]])) for n in (0, 1)]
    torch.testing.assert_close(whole, torch.stack(single).mean())
    assert InfoNCE().landmarks(query, key, queue, own) == InfoNCE().landmarks(query, key, torch.ones(9, 3))
    assert torch.equal(Append()(own, own[:, :1]), torch.cat([own, own[:, :1]], 1))
    assert torch.equal(Append()(own[:, 0], own[:, 1:]), own)  # a row is one token
    assert torch.equal(Append()(query, key), torch.stack([query, key], 1))


def test_the_nearest_pairs_of_places_are_matched() -> None:
    one, other = torch.randn(2, 6, 3), torch.randn(2, 5, 3)
    pairs = Matches(count=4)(one, other)
    for n in (0, 1):
        nearest = [min(((a - b).norm().item(), j) for j, b in enumerate(other[n])) for a in one[n]]
        best = sorted((*pair, i) for i, pair in enumerate(nearest))[:4]
        in_order = sorted((i, j) for _, j, i in best)  # that of the places here
        assert list(zip(pairs.here[n].tolist(), pairs.there[n].tolist(), strict=True)) == in_order
    with pytest.raises(SettingError, match="a view of 6 places has no 7"):
        Matches(count=7)(one, other)


def test_cells_of_two_crops_meet_at_one_place_of_the_image() -> None:
    map_ = torch.zeros(1, 1, 2, 2)
    whole = CellPlaces()(torch.tensor([[0.0, 0.0, 1.0, 1.0]]), torch.tensor([False]), map_)
    assert whole[0].tolist() == [[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]]
    right = CellPlaces()(torch.tensor([[0.5, 0.0, 1.5, 1.0]]), torch.tensor([True]), map_)  # mirrored
    pairs = Matches(count=2)(whole, right)
    assert sorted(zip(pairs.here[0].tolist(), pairs.there[0].tolist(), strict=True)) == [(1, 1), (3, 3)]
