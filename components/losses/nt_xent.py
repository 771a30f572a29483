"""NT-Xent (SimCLR): the two views of an image find each other among all views of all other images."""

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph import collectives
from sslgraph.component import component
from sslgraph.ranges import PositiveScalar


@component(
    source="arXiv:2002.05709, equation 1 and Algorithm 1; arXiv:2006.10029, section 2, for older rows; "
    "arXiv:2110.06848, equation 6, for decoupled",
    title="NT-Xent",
    kind="contrastive cross-entropy",
    repels="samples",
    rows="unit",
    spans_batch=True,
    older="older",
    sane={"temperature": (0.03, 1.0)},
    remedies={
        "collapse": "lower the temperature or the learning rate, and normalise what is compared "
        "(arXiv:2002.05709, table 5)",
    },
)
class NTXent(nn.Module):
    """Normalised-temperature cross-entropy over the 2N views of N images.

    With s[i, j] the dot product of views i and j, which come with unit length, over the temperature:

        loss = mean over the 2N views i of  -log( exp(s[i, j]) / sum_{k != i} exp(s[i, k]) ),     j the other view of i

    The paper's average; the authors' code sums the two halves and is twice as large. Needs a bag of two views. Rows of
    the port `older` (a queue of a slow copy's) are further k, in the sum below only.

    Settings:
        temperature: divides the similarities, no unit.
        negatives: the images to tell apart: those of all ranks (gathered with gradient), or of this rank only.
        decoupled: leave the pair itself out of the sum below, so that small batches learn as fast as large ones (DCL).
    """

    def __init__(
        self,
        *,
        temperature: PositiveScalar = 0.1,
        negatives: Literal["all_ranks", "rank"] = "all_ranks",
        decoupled: bool = False,
    ) -> None:
        super().__init__()
        self.temperature = temperature
        self.negatives = negatives
        self.decoupled = decoupled

    def forward(
        self, embeddings: Float[Tensor, "views batch dim"], older: Float[Tensor, "size dim"] | None = None
    ) -> Float[Tensor, ""]:
        if len(embeddings) != 2:
            raise ValueError(f"losses.nt_xent pairs two views of an image, and it was given {len(embeddings)}")
        rows = embeddings.flatten(0, 1)
        everyone = collectives.gather_with_gradient(rows) if self.negatives == "all_ranks" else rows
        first = collectives.rank() * len(rows) if self.negatives == "all_ranks" else 0
        mine = torch.arange(len(rows), device=rows.device) + first
        left_out = mine[:, None] == torch.arange(len(everyone), device=rows.device)
        if self.decoupled:
            left_out |= mine.roll(embeddings.shape[1])[:, None] == torch.arange(len(everyone), device=rows.device)
        similarity = (rows @ everyone.T / self.temperature).masked_fill(left_out, -math.inf)
        if older is not None:
            similarity = torch.cat([similarity, rows @ older.T / self.temperature], 1)
        positive = (rows * rows.roll(embeddings.shape[1], 0)).sum(1) / self.temperature
        return (similarity.logsumexp(1) - positive).mean()

    def landmarks(
        self, embeddings: Float[Tensor, "views batch dim"], older: Float[Tensor, "size dim"] | None = None
    ) -> dict[str, float]:
        """Chance, and equally the value when all embeddings are one: log(2N - 1), without older rows."""
        images = embeddings.shape[1] * (collectives.ranks() if self.negatives == "all_ranks" else 1)
        choices = 2 * images - 1 - self.decoupled + (0 if older is None else len(older))
        return {"chance": math.log(choices), "collapsed": math.log(choices)} if choices else {}

    def monitors(
        self,
        embeddings: Float[Tensor, "views batch dim"],
        older: Float[Tensor, "size dim"] | None = None,  # noqa: ARG002
    ) -> dict[str, Tensor]:
        """How far the choices of a view lie apart, over the temperature, among this rank's images: 0, all are alike."""
        one, other = embeddings[0].float(), embeddings[1].float()
        return {"choice_spread": (one @ other.T / self.temperature).std(1).mean()}
