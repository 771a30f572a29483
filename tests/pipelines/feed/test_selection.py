"""Some images of several sources are one source: rows, classes by name, and broken images that give way."""

from __future__ import annotations

import pytest
import torch
from sources import Numbered

from sslgraph.errors import SslgraphError
from sslgraph.pipelines.feed.selection import Selection


def values(selection: Selection, *indices: int) -> tuple[list[int], list[int]]:
    images, really = selection.read(torch.tensor(indices))
    return [int(image.max()) for image in images], really.tolist()


@pytest.mark.parametrize("sized", [True, False])
def test_rows_count_through_all_sources_and_are_read_in_any_order(sized: bool) -> None:
    both = Selection([Numbered(4, sized=sized), Numbered(6, sized=sized)])
    assert len(both) == 10 and (both.size == (4, 4)) == sized
    assert values(both, 9, 0, 4, 3) == ([5, 0, 0, 3], [9, 0, 4, 3])
    some = Selection([both], torch.tensor([7, 1]))
    assert values(some, 0, 1) == ([3, 1], [0, 1]) and some.labels is None


def test_classes_of_one_name_are_one_class_and_numbers_are_names() -> None:
    one, other = Numbered(3, labels=torch.tensor([1, -1, 0])), Numbered(2, labels=torch.tensor([0, 1]))
    one.classes, other.classes = ("cat", "dog"), ("dog", "owl")
    both = Selection([one, other, Numbered(1)])
    assert both.labels is not None
    assert both.classes == ("cat", "dog", "owl") and both.labels.tolist() == [1, -1, 0, 1, 2, -1]
    bare = Selection([Numbered(2, labels=torch.tensor([2, 0]))])
    assert bare.labels is not None
    assert bare.classes == ("0", "1", "2") and bare.labels.tolist() == [2, 0]


def test_a_broken_image_gives_way_to_the_next_of_the_selection() -> None:
    some = Selection([Numbered(5, unreadable=(1,)), Numbered(3, unreadable=(0,))], torch.tensor([1, 5, 3]))
    assert values(some, 0, 1, 2) == ([3, 3, 3], [2, 2, 2])
    assert some.broken == {0: "image 1: cut short", 1: "image 0: cut short"}
    with pytest.raises(SslgraphError, match="none of the 1 images can be read: image 1: cut short"):
        Selection([Numbered(3, unreadable=(1,))], torch.tensor([1])).read(torch.tensor([0]))
