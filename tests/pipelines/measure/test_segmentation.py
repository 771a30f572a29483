"""Segmentation by hand: counts, intersection over union, ignored pixels, absent classes; and what is learned."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from sslgraph.errors import SslgraphError
from sslgraph.pipelines.measure.segmentation import (
    always,
    counts,
    figures,
    judged,
    linear,
    retrieval,
    shares,
)

TRUTH = torch.tensor([[0, 0, 1], [0, 1, -1]])
TOLD = F.one_hot(torch.tensor([[0, 1, 1], [0, 2, 2]]), 4).permute(2, 0, 1).float()


def test_intersection_over_union_by_hand() -> None:
    """Class 0: 2 of 3; class 1: 1 of (2 + 2 - 1) = 3; class 2 is told once and never there: 0; class 3 is nowhere."""
    found = figures(counts(TOLD, TRUTH))
    assert found.classes == (2 / 3, 1 / 3, 0.0, None)
    assert found.miou == pytest.approx(1 / 3) and found.pixels == 3 / 5


def test_pixels_without_a_label_change_nothing_and_none_at_all_is_refused() -> None:
    other = TOLD.clone()
    other[:, 1, 2] = torch.tensor([9.0, 0, 0, 0])
    assert torch.equal(counts(other, TRUTH), counts(TOLD, TRUTH))
    with pytest.raises(SslgraphError, match="no pixel of the test images has a label"):
        figures(counts(TOLD, torch.full_like(TRUTH, -1)))


def test_all_images_are_one_set_and_not_a_mean_of_images() -> None:
    """Right on a small image and wrong on a large one: 1 of 5 pixels, not a half."""
    small, large = torch.tensor([[0]]), torch.tensor([[1, 1, 1, 1]])
    found = judged(always(0, 2), [(torch.zeros(1, 1, 1), small.short()), (torch.zeros(1, 1, 1), large.short())])
    assert found.pixels == 1 / 5 and found.classes == (1 / 5, 0.0) and found.miou == 1 / 10


def test_a_place_has_the_shares_of_its_pixels() -> None:
    found = shares(torch.tensor([[0, 0, 1, -1], [0, 1, -1, -1]]), 2, (1, 2))
    assert found.tolist() == [[[0.75, 0.0]], [[0.25, 0.25]]]


def test_scores_are_interpolated_before_the_highest_is_taken() -> None:
    """Logits 4 and -4 of two places: of four pixels the second lies a quarter of the way, at 2."""
    scores = torch.stack([torch.tensor([[4.0, -4.0]]), torch.tensor([[1.0, 1.0]])])
    assert counts(scores, torch.tensor([[0, 0, 0, 0]])).tolist() == [[2, 2], [0, 0]]


def test_the_linear_classifier_is_the_minimum_of_the_cross_entropy_of_pixels() -> None:
    """The features say nothing: each place is told the shares of the classes, whatever their scale."""
    fixed = torch.Generator().manual_seed(0)
    x = torch.randn(4000, 3, generator=fixed) * torch.tensor([1e-3, 1.0, 1e3])
    truth = torch.tensor([0.6, 0.3]).expand(4000, -1)  # a tenth has no label
    told = linear(x, truth)(torch.zeros(3, 1, 1))[:, 0, 0].softmax(0)
    torch.testing.assert_close(told, torch.tensor([2 / 3, 1 / 3]), atol=2e-3, rtol=0)


def test_both_ways_tell_what_features_show() -> None:
    fixed = torch.Generator().manual_seed(0)
    classes = torch.randint(3, (600,), generator=fixed)
    x = F.one_hot(classes, 3).float() @ torch.randn(3, 5, generator=fixed) + 0.1 * torch.randn(600, 5, generator=fixed)
    places, truth = x[:400], F.one_hot(classes[:400], 3).float()
    asked = [(x[400:].T.unflatten(1, (10, 20)), classes[400:].view(10, 20).short())]
    for way in (linear, retrieval):
        assert judged(way(places, truth), asked).miou > 0.98, way


def test_a_place_takes_the_classes_of_its_neighbours_by_their_likeness() -> None:
    """Cosines 1 and 0.98 have weights in the ratio e^(0.02 / 0.02); a place without labels is not asked."""
    angle = torch.tensor(0.98).acos()
    bank = torch.stack([torch.tensor([2.0, 0]), torch.tensor([angle.cos(), angle.sin()]), torch.tensor([1.0, 0])])
    told = retrieval(bank, torch.tensor([[1.0, 0], [0, 1.0], [0, 0]]))(torch.tensor([5.0, 0])[:, None, None])
    e = torch.tensor(1.0).exp()
    torch.testing.assert_close(told[:, 0, 0], torch.stack([e, torch.ones(())]) / (e + 1), atol=1e-3, rtol=0)


def test_features_that_are_all_alike_tell_the_most_frequent_class() -> None:
    truth = F.one_hot(torch.tensor([0, 1, 1]), 2).float()
    for way in (linear, retrieval):
        assert way(torch.ones(3, 4), truth)(torch.ones(4, 2, 2)).argmax(0).unique().tolist() == [1], way
