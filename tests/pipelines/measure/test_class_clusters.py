"""k-means against groups that are known, and the conventions where a numbering says nothing."""

from __future__ import annotations

import pytest
import torch
from test_knn import features

from sslgraph.errors import SslgraphError
from sslgraph.pipelines.measure.kmeans import compared, kmeans

EVEN = torch.arange(10_000) % 10


def test_groups_far_apart_are_the_classes_whatever_their_numbers_and_lengths() -> None:
    labels = torch.arange(60) % 3
    rows = 9 * torch.eye(3)[labels] + 0.1 * torch.randn(60, 3, generator=torch.Generator().manual_seed(0))
    found = kmeans(features(rows * torch.linspace(1, 50, 60)[:, None], labels + 4))
    assert (found.nmi, found.ari, found.accuracy, found.clusters) == (pytest.approx(1), 1, 1, 3)
    assert found.chance == pytest.approx(1 / 3)
    assert kmeans(features(rows, labels)) == kmeans(features(rows, labels))


def test_constant_features_are_one_cluster() -> None:
    found = kmeans(features(torch.ones(40, 8), torch.arange(40) % 4))
    assert (found.nmi, found.ari, found.accuracy, found.clusters) == (0, 0, 0.25, 1)


@pytest.mark.parametrize(
    ("clusters", "nmi", "ari", "accuracy"),
    [
        ((EVEN + 3) % 10, 1, 1, 1),  # other numbers for the same groups
        (torch.zeros_like(EVEN), 0, 0, 0.1),
        (torch.arange(10_000), 0.4, 0, 0.001),  # each image alone: ln 10 over the mean of ln 10 and ln 10,000
        (EVEN.clamp(max=8), 0.969, 0.898, 0.9),  # two classes as one cluster
    ],
)
def test_numberings_of_ten_even_classes(clusters: torch.Tensor, nmi: float, ari: float, accuracy: float) -> None:
    found = compared(clusters, EVEN)
    assert (found.nmi, found.ari) == (pytest.approx(nmi, abs=6e-4), pytest.approx(ari, abs=6e-4))
    assert found.accuracy == pytest.approx(accuracy)


def test_one_class_in_one_cluster_agrees_and_what_has_no_labels_is_refused() -> None:
    found = compared(torch.zeros(9, dtype=torch.long), torch.zeros(9, dtype=torch.long))
    assert (found.nmi, found.ari, found.accuracy) == (1, 1, 1)
    with pytest.raises(SslgraphError, match="this evaluation compares labels, and the data has none"):
        kmeans(features(torch.ones(3, 2), [-1, -1, -1]))
