"""K-means over the features of the whole data set (DeepCluster's labels)."""

from typing import Literal, NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn.functional import normalize

from sslgraph import draws
from sslgraph.component import component
from sslgraph.errors import SettingError
from sslgraph.ranges import Count, Several

# Distances held at a time: 64 MB in float32.
CELLS = 1 << 24
# How far apart the two halves of a split cluster start, in standard deviations of the data (faiss: 1 / 1024).
NUDGE = 1 / 1024


class Clusters(NamedTuple):
    """The cluster of each image, and the clusters' centres."""

    labels: Int64[Tensor, "images"]
    centroids: Float[Tensor, "k dim"]


@component(
    source="Lloyd, Least squares quantization in PCM (1982); arXiv:1807.05520, section 3.2",
    title="k-means",
    role="clusters",
    detached=("features",),
    float32=True,
)
class Kmeans(nn.Module):
    """Lloyd's algorithm from k different images, drawn anew in each epoch.

    Repeats: each image joins the nearest centroid; each centroid becomes the mean of its images. Sums are matrix
    products, so that the same features and clock give the same labels (atomic additions on a GPU would not).

    Settings:
        k: clusters.
        iterations: rounds.
        metric: euclidean, or cosine (rows and centroids of unit length).
        empty: a cluster without images takes half of the largest one (the next empty one of the second largest, ...),
            or keeps its place.
    """

    def __init__(
        self,
        *,
        k: Several = 10000,
        iterations: Count = 20,
        metric: Literal["euclidean", "cosine"] = "euclidean",
        empty: Literal["split_largest", "keep"] = "split_largest",
    ) -> None:
        super().__init__()
        self.k = k
        self.iterations = iterations
        self.metric = metric
        self.empty = empty

    def fits(self, images: int) -> None:
        """SettingError where there are fewer images than clusters."""
        if images < self.k:
            raise SettingError(self, "k", fitting(images), f"{images} images can't make {self.k} clusters")

    @torch.no_grad()
    def forward(self, features: Float[Tensor, "images dim"], clock: Int64[Tensor, "3"]) -> Clusters:
        self.fits(len(features))
        rows = normalize(features, dim=1) if self.metric == "cosine" else features
        centroids = rows[_first(clock, len(rows))[: self.k]]
        for _ in range(self.iterations):
            _, sums, counts = _join(rows, centroids)
            centroids = self._moved(rows, centroids, sums, counts)
        return Clusters(_join(rows, centroids)[0], centroids)

    def _moved(self, rows: Tensor, centroids: Tensor, sums: Tensor, counts: Tensor) -> Tensor:
        moved = torch.where(counts[:, None] > 0, sums / counts[:, None].clamp_min(1), centroids)
        if self.empty == "split_largest":
            moved = _split(moved, counts, rows.std(0))
        return normalize(moved, dim=1) if self.metric == "cosine" else moved


def fitting(images: int) -> int:
    """How many clusters a refusal proposes: ten images a cluster."""
    return max(2, images // 10)


def _first(clock: Tensor, images: int) -> Tensor:
    """The images in a random order that only (seed, epoch) decide."""
    index = torch.arange(images, device=clock.device)
    stream = torch.full_like(index, draws.stream_of("kmeans"))
    draw = torch.stack([clock[0].expand_as(index), clock[1].expand_as(index), index, stream], 1)
    return draws.words(draw, 1)[:, 0].argsort(stable=True)


def _join(rows: Tensor, centroids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The nearest centroid of each row; the sum and the number of the rows that joined each centroid."""
    numbers = torch.arange(len(centroids), device=rows.device)
    half_square = centroids.square().sum(1) / 2
    labels, sums, counts = [], torch.zeros_like(centroids), torch.zeros_like(half_square)
    for chunk in torch.split(rows, max(CELLS // len(centroids), 1)):
        # |x - c|^2 / 2 without |x|^2 / 2, which is the same for all centroids.
        nearest = (half_square - chunk @ centroids.T).argmin(1)
        joined = (nearest[:, None] == numbers).to(rows.dtype)
        sums, counts = sums + joined.T @ chunk, counts + joined.sum(0)
        labels.append(nearest)
    return torch.cat(labels), sums, counts


def _split(centroids: Tensor, counts: Tensor, spread: Tensor) -> Tensor:
    """The n-th empty cluster moves beside the n-th largest, each a nudge to its side of the old centre."""
    empty, itself = counts == 0, torch.arange(len(counts), device=counts.device)
    largest = counts.argsort(descending=True, stable=True)
    donor = torch.where(empty, largest[(empty.cumsum(0) - 1).clamp_min(0)], itself)
    gives = torch.zeros_like(counts).index_add(0, donor, empty.to(counts.dtype))
    signs = 1 - 2 * (torch.arange(len(spread), device=spread.device) % 2)
    side = empty.to(counts.dtype) - gives
    return centroids[donor] + side[:, None] * (NUDGE * spread * signs)
