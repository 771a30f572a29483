"""Several k-means of the same features, and how spread out each cluster is (PCL's prototypes, DeepCluster v2's)."""

from typing import Literal, NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn.functional import normalize

from sslgraph.component import component
from sslgraph.errors import SettingError
from sslgraph.ranges import Count, Positive, Several

from .kmeans import Kmeans, fitting

CLIPPED = (0.1, 0.9)  # quantiles beyond which a concentration is not believed


class Prototypes(NamedTuple):
    """Of each image its cluster in each clustering, counted from 0; all centres of unit length, clustering after
    clustering; and the temperature of each.
    """

    labels: Int64[Tensor, "images clusterings"]
    centroids: Float[Tensor, "clusters dim"]
    temperatures: Float[Tensor, "clusters"]


@component(
    source="arXiv:2005.04966, Algorithm 1 and equation 12; salesforce/PCL, main_pcl.py",
    title="k-means",
    role="clusters",
    detached=("features",),
    float32=True,
)
class Granularities(nn.Module):
    """k-means for each k of a list, each from other images. A tight cluster gets a low temperature, a loose one a high:

        spread[c] = mean over its images of the distance to its centre / log(images in c + smooth)

    A cluster of one image has the greatest spread found. Spreads are cut at the quantiles 0.1 and 0.9 and scaled so
    that the mean over a clustering is `temperature`. An empty cluster takes half of the largest (clustering.kmeans).

    Settings:
        k: clusters of each clustering.
        iterations: rounds of each.
        metric: euclidean, or cosine (rows and centres of unit length in every round).
        temperature: mean of the temperatures, no unit.
        smooth: images added, so that small clusters are not too sure.
    """

    def __init__(
        self,
        *,
        k: list[Several],
        iterations: Count = 20,
        metric: Literal["euclidean", "cosine"] = "euclidean",
        temperature: Positive = 0.2,
        smooth: Positive = 10.0,
    ) -> None:
        super().__init__()
        self.k, self.temperature, self.smooth = k, temperature, smooth
        self.clusters, self.clusterings = sum(k), len(k)  # as many rows and columns as it gives
        self.solvers = nn.ModuleList(Kmeans(k=count, iterations=iterations, metric=metric) for count in k)

    def fits(self, images: int) -> None:
        """SettingError where there are fewer images than clusters."""
        if images < max(self.k):
            proposed = ",".join(str(min(count, fitting(images))) for count in self.k)
            raise SettingError(self, "k", f"[{proposed}]", f"{images} images can't make {max(self.k)} clusters")

    @torch.no_grad()
    def forward(self, features: Float[Tensor, "images dim"], clock: Int64[Tensor, "3"]) -> Prototypes:
        self.fits(len(features))
        found = []
        for number, solver in enumerate(self.solvers):
            # Clusterings with one k start from other images, too.
            labels, centroids = solver(features, clock + torch.tensor([number << 20, 0, 0], device=clock.device))
            found.append((labels, normalize(centroids, dim=1), self._temperatures(features, labels, centroids)))
        labels, centroids, temperatures = zip(*found, strict=True)
        return Prototypes(torch.stack(labels, 1), torch.cat(centroids), torch.cat(temperatures))

    def _temperatures(self, features: Tensor, labels: Tensor, centroids: Tensor) -> Tensor:
        distance = (features - centroids[labels]).norm(dim=1)
        zeros = torch.zeros(len(centroids), device=features.device, dtype=torch.float64)
        counts = zeros.index_add(0, labels, torch.ones_like(distance, dtype=torch.float64))
        spread = zeros.index_add(0, labels, distance.double()) / counts.clamp_min(1) / (counts + self.smooth).log()
        spread = torch.where(counts > 1, spread, spread[counts > 1].max()) if (counts > 1).any() else spread
        spread = spread.clamp(*spread.quantile(spread.new_tensor(CLIPPED)))
        return (self.temperature * spread / spread.mean().clamp_min(1e-12)).to(features.dtype)
