import math

import pytest
import torch
from torch.nn.functional import normalize

from sslgraph.components.clustering.granularities import Granularities
from sslgraph.errors import SettingError

CLOCK = torch.tensor([3, 0, 0])


def features(images: int = 120) -> torch.Tensor:
    torch.manual_seed(0)
    return normalize(torch.randn(images, 6), dim=1)


def test_each_clustering_has_its_centres_of_unit_length_and_a_mean_temperature() -> None:
    found = Granularities(k=[4, 7], temperature=0.3)(features(), CLOCK)
    assert found.labels.shape == (120, 2) and found.labels.amax(0).tolist() == [3, 6]
    torch.testing.assert_close(found.centroids.norm(dim=1), torch.ones(11))
    for part in found.temperatures.split([4, 7]):
        torch.testing.assert_close(part.mean(), torch.tensor(0.3))


def test_temperatures_are_the_papers_concentrations_cut_and_scaled() -> None:
    rows, solver = features(), Granularities(k=[3], temperature=0.2)
    labels = torch.arange(120) % 40 // 16  # 48, 48, 24 images
    centres = torch.stack([rows[labels == c].mean(0) for c in range(3)])
    spread = torch.tensor(
        [
            sum(float((row - centres[c]).norm()) for row in rows[labels == c])
            / (labels == c).sum().item()
            / math.log((labels == c).sum().item() + 10)
            for c in range(3)
        ]
    )
    spread = spread.clamp(spread.quantile(0.1), spread.quantile(0.9))
    torch.testing.assert_close(solver._temperatures(rows, labels, centres), 0.2 * spread / spread.mean())


def test_temperatures_by_hand_the_distance_itself_counts_and_not_its_root() -> None:
    """Ten images 4 away from the first centre, ten 1 away from the second, none far enough apart to be cut off."""
    rows = torch.zeros(20, 2)
    rows[:10, 0], rows[10:, 0] = torch.tensor([4.0, -4.0]).repeat(5), torch.tensor([1.0, -1.0]).repeat(5)
    found = Granularities(k=[2], temperature=1.0)._temperatures(rows, torch.arange(20) // 10, torch.zeros(2, 2))
    # Of 4 and 1 the quantiles 0.9 and 0.1 are 3.7 and 1.3; their mean is 2.5. The authors' run_kmeans gives the same.
    torch.testing.assert_close(found, torch.tensor([3.7, 1.3]) / 2.5)


def test_a_cluster_of_one_image_has_the_greatest_temperature() -> None:
    rows, labels = features(), torch.arange(120) % 4
    labels[labels == 3], labels[5] = 2, 3
    centres = torch.stack([rows[labels == c].mean(0) for c in range(4)])
    found = Granularities(k=[4])._temperatures(rows, labels, centres)
    assert found.argmax() == 3 or found[3] == found.max()


def test_two_clusterings_with_one_k_are_not_the_same() -> None:
    labels = Granularities(k=[5, 5])(features(), CLOCK).labels
    assert not labels[:, 0].equal(labels[:, 1])


def test_more_clusters_than_images_are_refused_with_numbers_that_fit() -> None:
    with pytest.raises(SettingError, match="60 images can't make 100 clusters") as refused:
        Granularities(k=[4, 100]).fits(60)
    assert (refused.value.setting, refused.value.value) == ("k", "[4,6]")
