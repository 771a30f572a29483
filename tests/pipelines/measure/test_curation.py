"""Curation by hand: copies and images near held-out ones go, the first of a group stays, a seed takes what is near."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from sslgraph.errors import SslgraphError
from sslgraph.pipelines.measure.curation import Wish, fates
from sslgraph.pipelines.measure.likeness import directions, groups, highest, mean_of


def at(*degrees: float) -> Tensor:
    """Points on the circle, and their opposites' mean: with each point's opposite the mean is 0."""
    angles = torch.tensor(degrees).deg2rad()
    return torch.stack([angles.cos(), angles.sin()], 1)


# Four pairs of opposites: the mean is 0, and a cosine is that of the angle between. cos 6 = 0.995, cos 20 = 0.940.
POOL = at(0, 180, 6, 186, 90, 270, 110, 290)


def said(wish: Wish, **others: Tensor) -> list[str]:
    return [" ".join(filter(None, (fate.said, fate.of))) for fate in fates(POOL, wish, **others)]


def test_of_copies_the_first_stays() -> None:
    assert said(Wish(copies=0.99)) == ["left", "left", "copy pool 0", "copy pool 1", *["left"] * 4]
    chain = ["copy pool 4", "copy pool 5"]
    assert said(Wish(copies=0.93)) == ["left", "left", "copy pool 0", "copy pool 1", "left", "left", *chain]


def test_what_is_near_held_out_images_goes_first_so_that_its_copy_stays() -> None:
    found = said(Wish(copies=0.99, near_test=0.999), test=at(0.5, 45))
    assert found == ["near test test 0", "left", "left", "copy pool 1", *["left"] * 4]


def test_a_seed_takes_its_neighbours_and_the_clusters_that_it_falls_into() -> None:
    seed = at(94, 92)
    assert said(Wish(copies=0.9999, neighbours=1), seed=seed) == [*["left"] * 4, "neighbour", *["left"] * 3]
    found = said(Wish(copies=0.9999, neighbours=1, clusters=4, hits=1), seed=seed)
    assert found == [*["left"] * 4, "neighbour and cluster", "left", "cluster", "left"]
    found = said(Wish(copies=0.9999, clusters=4, hits=1, per_cluster=1), seed=seed)
    assert sorted(found[4::2]) == ["cluster", "left"] and found.count("left") == 7


def test_a_copy_of_a_seed_image_goes_and_the_seed_image_stays() -> None:
    assert said(Wish(copies=0.999, neighbours=1), seed=at(91))[4] == "copy seed 0"


def test_planted_copies_go_others_stay_and_the_rest_is_enriched() -> None:
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(5, 32, generator=generator) * 3
    label = torch.arange(400) % 5
    pool = centres[label] + torch.randn(400, 32, generator=generator)
    pool = torch.cat([pool, pool[::10] + 0.01 * torch.randn(40, 32, generator=generator)])
    seed = centres[torch.arange(40) % 2] + torch.randn(40, 32, generator=generator)
    for wish in (Wish(copies=0.995, neighbours=4), Wish(copies=0.995, clusters=10)):
        found = [fate.said for fate in fates(pool, wish, seed=seed)]
        assert found[400:] == ["copy"] * 40 and "copy" not in found[:400]
        chosen = torch.tensor([row for row in range(400) if found[row] != "left"])
        assert len(chosen) >= 60 and bool((label[chosen] < 2).all())


def test_groups_and_nearest_are_those_of_a_slow_version() -> None:
    rows = directions(torch.randn(50, 4, generator=torch.Generator().manual_seed(1)), torch.zeros(1, 4))
    cosine, which = highest(rows[:20], rows[20:])
    slow = torch.stack([torch.stack([one @ other for other in rows[20:]]) for one in rows[:20]])
    assert torch.allclose(cosine, slow.amax(1)) and torch.equal(which, slow.argmax(1))
    label = list(range(50))
    for one in range(50):
        for other in range(50):
            if float(rows[one] @ rows[other]) > 0.9:
                label = [label[one] if name == label[other] else name for name in label]
    expected = {tuple(row for row in range(50) if label[row] == name) for name in set(label)}
    assert {tuple(group) for group in groups(rows, 0.9)} == {group for group in expected if len(group) > 1}
    assert torch.allclose(mean_of(rows), rows.mean(0, keepdim=True))


@pytest.mark.parametrize(
    ("wish", "others", "message"),
    [
        ({"neighbours": 1}, {"seed": at()}, "the seed set is empty; give it images"),
        ({"neighbours": 9}, {"seed": at(0)}, "neighbours: 9 is more than the 5 images that are left of the pool"),
        ({"clusters": 6}, {"seed": at(0)}, "clusters: 6 is more than the 5 images that are left of the pool"),
        (
            {"clusters": 2},
            {"seed": at(1, 2)},
            "no cluster holds more than 3 of 2 seed images; lower hits: or clusters:",
        ),
        (
            {},
            {"test": at(*range(0, 360, 30))},
            "nothing is left of 8 images (8 near test); raise copies: or near_test:",
        ),
        (
            {"neighbours": 1},
            {"seed": torch.ones(3, 5)},
            "features are of unequal widths: pool 2, seed 5; embed all sets",
        ),
        ({}, {"test": torch.full((2, 2), torch.nan)}, "features of the test set are nan or infinite"),
    ],
)
def test_what_can_not_be_curated_is_said(wish: dict[str, Any], others: dict[str, Tensor], message: str) -> None:
    with pytest.raises(SslgraphError) as refused:
        fates(POOL, Wish(**{"copies": 0.99, "near_test": 0.9, **wish}), **others)
    assert message in str(refused.value)
