"""Noise-contrastive estimation (InstDisc): an image's own row is told from rows drawn at random."""
# ruff: noqa: ARG002 - landmarks take the ports of forward and may need the shape of one only

import math

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from sslgraph.component import component
from sslgraph.ranges import PositiveScalar


@component(
    source="arXiv:1805.01978, equations 4 to 7",
    title="NCE",
    kind="noise-contrastive estimation",
    agrees=("query", "own"),
    repels="samples",
    rows="unit",
    detached=("level",),
    sane={"temperature": (0.03, 1.0)},
)
class NCE(nn.Module):
    """Is a row the image's own, or one of K drawn uniformly from the memory? Decided for the own row and for each.

    With unit rows, e(r) = exp(query . r / temperature), P(r) = e(r) / (images level) and noise of 1 / images:

        loss = mean over the batch of  -log h(own) - sum_n log(1 - h(n)),     h(r) = P(r) / (P(r) + K / images)

    The number of images cancels: h(r) = e(r) / (e(r) + K level). The K terms are a sum, as in the paper.

    Settings:
        temperature: divides the similarities, no unit.
    """

    def __init__(self, *, temperature: PositiveScalar = 0.07) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(
        self,
        query: Float[Tensor, "batch dim"],
        own: Float[Tensor, "batch dim"],
        noise: Float[Tensor, "batch count dim"],
        level: Float[Tensor, ""],
    ) -> Float[Tensor, ""]:
        threshold = (noise.shape[1] * level.detach()).log()
        positive = (query * own).sum(1) / self.temperature - threshold
        negative = (noise @ query[..., None])[..., 0] / self.temperature - threshold
        return -(logsigmoid(positive) + logsigmoid(-negative).sum(1)).mean()

    def landmarks(
        self,
        query: Float[Tensor, "batch dim"],
        own: Float[Tensor, "batch dim"],
        noise: Float[Tensor, "batch count dim"],
        level: Float[Tensor, ""],
    ) -> dict[str, float]:
        """All rows alike, and the level right: log(1 + K) + K log(1 + 1/K)."""
        count = noise.shape[1]
        return {"chance": math.log(1 + count) + count * math.log1p(1 / count)}

    def monitors(
        self,
        query: Float[Tensor, "batch dim"],
        own: Float[Tensor, "batch dim"],
        noise: Float[Tensor, "batch count dim"],
        level: Float[Tensor, ""],
    ) -> dict[str, Tensor]:
        """How far the scores of an image's noise lie apart, over the temperature: 0, all rows are alike."""
        scores = (noise.float() @ query.float()[..., None])[..., 0]
        return {"choice_spread": (scores / self.temperature).std(1).mean()}
