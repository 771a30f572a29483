"""Contrast with prototypes (PCL's ProtoNCE, DeepCluster v2): a feature finds the centre of its image's cluster."""
# ruff: noqa: ARG002 - landmarks take the ports of forward and may need the shape of one only

import math

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from sslgraph.component import component
from sslgraph.ranges import PositiveScalar, Several

NO_LABEL = -100


@component(
    source="arXiv:2005.04966, equation 11; arXiv:2006.09882, appendix D, for one temperature",
    title="ProtoNCE",
    kind="cross-entropy",
    rows="unit",
    detached=("centroids", "temperatures"),
    sane={"temperature": (0.03, 1.0)},
)
class PrototypeContrast(nn.Module):
    """Cross-entropy over all centres of a clustering, in a mean over views, clusterings and images.

        loss = mean of  -log( e(own) / sum_c e(c) ),     e(c) = exp(query . c / temperature[c])

    The authors of PCL draw some of the other centres; here all of them are negatives. Images without a label (before
    the first clustering) cost nothing.

    Settings:
        k: clusters of each clustering, whose centres follow each other.
        temperature: of all centres, where the port `temperatures` is not connected, no unit.
    """

    def __init__(self, *, k: list[Several], temperature: PositiveScalar = 0.1) -> None:
        super().__init__()
        self.k, self.temperature = k, temperature

    def forward(
        self,
        query: Float[Tensor, "views batch dim"],
        labels: Int64[Tensor, "batch clusterings"],
        centroids: Float[Tensor, "clusters dim"],
        temperatures: Float[Tensor, "clusters"] | None = None,
    ) -> Float[Tensor, ""]:
        logits = query @ centroids.detach().T / (self.temperature if temperatures is None else temperatures.detach())
        targets = labels.expand(len(query), -1, -1)
        costs = [
            cross_entropy(scores.flatten(0, 1), targets[..., number].flatten(), ignore_index=NO_LABEL, reduction="sum")
            for number, scores in enumerate(logits.split(self.k, -1))
        ]
        return torch.stack(costs).mean() / targets[..., 0].numel()

    def landmarks(
        self,
        query: Float[Tensor, "views batch dim"],
        labels: Int64[Tensor, "batch clusterings"],
        centroids: Float[Tensor, "clusters dim"],
        temperatures: Float[Tensor, "clusters"] | None = None,
    ) -> dict[str, float]:
        """Uniform guessing: the mean of the logs of the numbers of clusters."""
        return {"chance": sum(map(math.log, self.k)) / len(self.k)}
