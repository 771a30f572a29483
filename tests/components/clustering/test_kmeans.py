import pytest
import torch
from torch import Tensor

from sslgraph.components.clustering import kmeans
from sslgraph.components.clustering.kmeans import Kmeans

CLOCK = torch.tensor([3, 0, 0])


def heaps(each: int = 50, count: int = 4) -> Tensor:
    """Tight heaps at the corners of a cube, one after the other."""
    corners = 10 * torch.eye(count)
    return (corners[:, None] + 0.1 * torch.randn(count, each, count)).flatten(0, 1)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_separate_heaps_are_found(metric: str) -> None:
    labels = Kmeans(k=4, metric=metric)(heaps(), CLOCK).labels.view(4, 50)
    assert labels.eq(labels[:, :1]).all() and len(labels[:, 0].unique()) == 4


def test_each_image_has_the_nearest_centroid_and_each_centroid_is_the_mean_in_the_end() -> None:
    rows = torch.randn(300, 2)
    labels, centroids = Kmeans(k=5, iterations=100)(rows, CLOCK)
    assert labels.equal(torch.cdist(rows, centroids).argmin(1))
    torch.testing.assert_close(centroids, torch.stack([rows[labels == c].mean(0) for c in range(5)]))


def test_chunks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = torch.randn(200, 3)
    whole = Kmeans(k=7)(rows, CLOCK)
    monkeypatch.setattr(kmeans, "CELLS", 7 * 30)
    torch.testing.assert_close(Kmeans(k=7)(rows, CLOCK), whole)


def test_seed_and_epoch_decide_where_it_starts_and_nothing_else() -> None:
    rows = torch.randn(500, 8)
    torch.manual_seed(1)
    first = Kmeans(k=20)(rows, CLOCK).labels
    torch.manual_seed(2)
    assert first.equal(Kmeans(k=20)(rows, CLOCK + torch.tensor([0, 0, 99])).labels)
    assert not first.equal(Kmeans(k=20)(rows, CLOCK + torch.tensor([0, 1, 0])).labels)


def test_an_empty_cluster_takes_half_of_the_largest() -> None:
    rows = torch.cat([torch.randn(90, 2), torch.randn(10, 2) + 50])
    solver = Kmeans(k=3)
    start = torch.tensor([[0.0, 0.0], [50.0, 50.0], [900.0, 900.0]])
    _, sums, counts = kmeans._join(rows, start)
    assert counts.tolist() == [90, 10, 0]
    moved = solver._moved(rows, start, sums, counts)
    sizes = kmeans._join(rows, moved)[2].tolist()
    assert sizes[1] == 10 and min(sizes[0], sizes[2]) > 20
    kept = Kmeans(k=3, empty="keep")._moved(rows, start, sums, counts)
    assert kept[2].equal(start[2])


def test_no_cluster_is_empty_although_most_images_are_equal() -> None:
    rows = torch.cat([torch.zeros(200, 4), torch.randn(100, 4)])
    labels = Kmeans(k=10, iterations=30)(rows, CLOCK).labels
    assert len(labels.unique()) == 10


def test_fewer_images_than_clusters_are_refused() -> None:
    with pytest.raises(ValueError, match="5 images can't make 10 clusters"):
        Kmeans(k=10)(torch.randn(5, 2), CLOCK)
