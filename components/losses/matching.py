"""Matching: each query picks its own among the choices of its image (Selfie)."""
# ruff: noqa: ARG002 - landmarks take the ports of forward and may need the shape of one only

import math

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from sslgraph import collectives
from sslgraph.component import component
from sslgraph.ranges import PositiveScalar


@component(
    source="arXiv:1906.02940, section 3",
    title="matching in the image",
    kind="contrastive cross-entropy",
    agrees=("query", "choice"),
    repels="samples",
    rows="raw",
    weighed_by="where",
)
class Matching(nn.Module):
    """The mean over images and places of  -log softmax(query . choices / temperature)[its own].

    Choices are those of the same image only: a hidden patch among the other hidden patches, where only these are given
    (wiring.take). With `where` all places are choices, and the mean is over the queries that count, on all ranks.

    Settings:
        temperature: divides the products, no unit.
    """

    def __init__(self, *, temperature: PositiveScalar = 1.0) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(
        self,
        query: Float[Tensor, "batch hidden dim"],
        choice: Float[Tensor, "batch hidden dim"],
        where: Shaped[Tensor, "batch hidden"] | None = None,
    ) -> Float[Tensor, ""]:
        scores = query @ choice.transpose(1, 2) / self.temperature
        own = torch.arange(scores.shape[1], device=scores.device).expand(len(scores), -1)
        costs = cross_entropy(scores.flatten(0, 1), own.flatten(), reduction="none")
        return collectives.mean_where(costs, None if where is None else where.flatten())

    def landmarks(
        self,
        query: Float[Tensor, "batch hidden dim"],
        choice: Float[Tensor, "batch hidden dim"],
        where: Shaped[Tensor, "batch hidden"] | None = None,
    ) -> dict[str, float]:
        """The log of the number of choices, when guessing and when all are one."""
        value = math.log(query.shape[1])
        return {"chance": value, "collapsed": value}
