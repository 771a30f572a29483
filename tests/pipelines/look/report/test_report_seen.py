"""Neighbours and maps by hand; the same twice; and images that are unlike what a page would like."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from sslgraph.pipelines.feed.open_source import Rows
from sslgraph.pipelines.look.report.scatter import MARKED, draw, legend, look, shape
from sslgraph.pipelines.look.report.seen import Map, maps, neighbours, pca, tsne
from sslgraph.pipelines.measure.features import Features


class Flat:
    """Images of one grey each: image i is all of value 10 i. Image 3 can't be read, and 4 is given for it."""

    classes = ("even", "odd")
    size = (4, 4)

    def __init__(self, count: int) -> None:
        self.count, self.broken = count, dict[int, str]()
        self.labels = torch.arange(count) % 2

    def __len__(self) -> int:
        return self.count

    def read(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        really = torch.where(indices == 3, 4, indices)
        return (10 * really).to(torch.uint8)[:, None, None, None].expand(-1, 3, 4, 4), really


def test_neighbours_are_the_nearest_by_angle_with_their_similarity_and_class() -> None:
    values = torch.tensor([[1.0, 0.0], [3.0, 4.0], [0.0, 2.0], [5.0, 0.0]])
    bank = Features(values, torch.arange(4))
    query = Features(torch.tensor([[2.0, 0.0]]), torch.tensor([1]))
    images = Rows(Flat(9), torch.tensor([0, 2, 5, 7]))
    ((asked, near),) = neighbours(bank, query, images, Rows(Flat(9), torch.tensor([6, 8])), nearest=3)
    assert (asked.index, asked.label) == (8, "even") and asked.image.getpixel((0, 0)) == (80, 80, 80)
    # Images 0 and 7 lie at the same angle: the first in the bank comes first. Less the mean (0.65, 0.45) of all
    # directions the query is (0.35, -0.45), and image 2 (-0.05, 0.35): -0.175 over the root of 0.325 times 0.125.
    found = [(p.index, p.label, round(p.similarity, 4)) for p in near]
    assert found == [(0, "even", 1), (7, "odd", 1), (2, "even", -0.8682)]
    assert near[1].image.getpixel((0, 0)) == (70, 70, 70)


def test_pca_finds_the_plane_and_its_directions_point_the_same_way_always() -> None:
    flat = torch.randn(50, 2, generator=torch.Generator().manual_seed(0)) * torch.tensor([5.0, 1.0])
    turn, _ = torch.linalg.qr(torch.randn(6, 6, generator=torch.Generator().manual_seed(1)))
    places = pca(flat @ turn[:2] + 3)
    torch.testing.assert_close(torch.pdist(places), torch.pdist(flat), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(pca(flat.flip(0) @ turn[:2] + 3).flip(0), places, atol=1e-4, rtol=1e-4)


def test_tsne_keeps_groups_apart_and_is_the_same_twice() -> None:
    groups = torch.arange(60) % 3
    values = torch.eye(3)[groups].repeat(1, 4) + 0.05 * torch.randn(60, 12)
    places = tsne(values)
    assert torch.equal(tsne(values), places)
    nearest = torch.cdist(places, places).fill_diagonal_(1e9).argmin(1)
    assert torch.equal(groups[nearest], groups)


def test_an_encoder_that_says_the_same_of_all_images_has_no_map() -> None:
    assert maps("trained", Features(torch.ones(30, 4), torch.arange(30))) == ()
    assert maps("trained", Features(torch.randn(4, 4), torch.arange(4))) == ()


def points(*labels: int, classes: tuple[str, ...] = ("a", "b")) -> Map:
    count = len(labels)
    places = torch.stack([torch.arange(count).float(), torch.zeros(count)], 1)
    return Map("trained, PCA", places, torch.tensor(labels), torch.arange(count) + 100, classes)


def test_points_of_a_map_fill_it_and_say_what_they_are() -> None:
    text = draw(points(0, 1, -1))
    assert 'd="M12.0 200.0' in text and 'd="M200.0 200.0' in text and 'd="M388.0 200.0' in text
    assert "<title>a, image 100</title>" in text and "<title>image 102</title>" in text
    assert legend(points(-1, -1)) is None and "<span>" in str(legend(points(0, 1)))


def test_classes_differ_in_colour_or_shape_as_long_as_there_are_enough_of_both() -> None:
    looks = {(look(label), shape(label, 0, 0)) for label in range(MARKED)}
    assert len(looks) == MARKED and look(MARKED) == look(-1) == "other"
    many = points(*range(MARKED + 5), classes=tuple("x" * 99))
    assert "and 5 more in grey" in str(legend(many))


@pytest.mark.parametrize("name", ["<script>", 'a"b'])
def test_names_of_classes_are_text(name: str) -> None:
    text = draw(points(0, 1, classes=(name, "b"))) + str(legend(points(0, 1, classes=(name, "b"))))
    assert "<script>" not in text and '"b,' not in text
