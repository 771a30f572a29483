"""NT-Xent (SimCLR): views of an image find each other among all; by labels, those of its class (supervised: SupCon)."""

import math
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from sslgraph import collectives
from sslgraph.component import component
from sslgraph.ranges import LessThanOne, NotNegative, PositiveScalar


@component(
    source="arXiv:2002.05709, equation 1 and Algorithm 1; arXiv:2006.10029, section 2, for older rows; "
    "arXiv:2110.06848, equation 6, for decoupled; arXiv:2010.04592, equation 4, for hardness; "
    "arXiv:2007.00224, equation 7, for same_class; arXiv:2004.11362, equation 2, for labels",
    title="NT-Xent",
    kind="contrastive cross-entropy",
    repels="samples",
    rows="unit",
    spans_batch=True,
    older="older",
    sane={"temperature": (0.03, 1.0)},
    remedies={
        "collapse": "lower the temperature or the learning rate, and normalise what is compared "
        "(arXiv:2002.05709, table 5)"
    },
)
class NTXent(nn.Module):
    """Normalised-temperature cross-entropy over the 2N views of N images.

    With s[i, j] the dot product of views i and j, which come with unit length, over the temperature:

        loss = mean over the 2N views i of  -log( exp(s[i, j]) / sum_{k != i} exp(s[i, k]) ),     j the other view of i

    The paper's average; the authors' code sums the two halves and is twice as large. Needs a bag of two views. Rows of
    the port `older` (a queue of a slow copy's) are further k, in the sum below only.

    With the port `labels` (supervised contrastive learning) all other views of images of one label are positives of
    each other: j runs over them, in a mean outside the logarithm, and there may be more than two views. An image with
    label -1 has the other views of its own for positives. Labels are `x.label`, clusters, or what else images share.

    With hardness b each of the n negatives weighs exp(b s[i, k]) over the mean of those weights; with same_class c the
    sum over negatives is corrected for those that are of the image's own class, and is no less than it can be:

        negatives = max( (sum_k weight[k] exp(s[i, k]) - c n exp(s[i, j])) / (1 - c),  n exp(-1 / temperature) )

    Settings:
        temperature: divides the similarities, no unit.
        negatives: the images to tell apart: those of all ranks (gathered with gradient), or of this rank only.
        decoupled: leave the pair itself out of the sum below, so that small batches learn as fast as large ones (DCL).
        hardness: how much more the negatives weigh that look like the image; 0 for all alike (HCL: 0.5 to 2).
        same_class: the chance that a negative is of the image's class (HCL and debiased contrast: 0.1 on CIFAR-10).
    """

    def __init__(
        self,
        *,
        temperature: PositiveScalar = 0.1,
        negatives: Literal["all_ranks", "rank"] = "all_ranks",
        decoupled: bool = False,
        hardness: NotNegative = 0.0,
        same_class: LessThanOne = 0.0,
    ) -> None:
        super().__init__()
        self.temperature = temperature
        self.negatives = negatives
        self.decoupled = decoupled
        self.hardness, self.same_class = hardness, same_class

    def forward(
        self,
        embeddings: Float[Tensor, "views batch dim"],
        older: Float[Tensor, "size dim"] | None = None,
        labels: Int64[Tensor, "batch"] | None = None,
    ) -> Float[Tensor, ""]:
        if len(embeddings) != 2 and (labels is None or len(embeddings) < 2):
            raise ValueError(f"losses.nt_xent pairs two views of an image, and it was given {len(embeddings)}")
        rows = embeddings.flatten(0, 1)
        everyone = collectives.gather_with_gradient(rows) if self.negatives == "all_ranks" else rows
        first = collectives.rank() * len(rows) if self.negatives == "all_ranks" else 0
        mine = torch.arange(len(rows), device=rows.device) + first
        left_out = mine[:, None] == torch.arange(len(everyone), device=rows.device)
        is_corrected = bool(self.hardness or self.same_class)
        if labels is not None and (self.decoupled or is_corrected):
            raise ValueError("decoupled, hardness and same_class are for pairs; leave them out where there are labels")
        if self.decoupled or is_corrected:
            left_out |= mine.roll(embeddings.shape[1])[:, None] == torch.arange(len(everyone), device=rows.device)
        logits = rows @ everyone.T / self.temperature
        similarity = logits.masked_fill(left_out, -math.inf)
        if older is not None:
            similarity = torch.cat([similarity, rows @ older.T / self.temperature], 1)
        if labels is None:
            positive = (rows * rows.roll(embeddings.shape[1], 0)).sum(1) / self.temperature
        else:
            kin = self._kin(labels, len(embeddings)) & ~left_out
            positive = (logits * kin).sum(1) / kin.sum(1)
        below = self._corrected(similarity, positive) if is_corrected else similarity.logsumexp(1)
        return (below - positive).mean()

    def _kin(self, labels: Int64[Tensor, "batch"], views: int) -> Bool[Tensor, "rows choices"]:
        """Which views are of one label, or of one image where it has none."""
        image = torch.arange(len(labels), device=labels.device) + collectives.rank() * len(labels)
        group = torch.where(labels < 0, -1 - image, labels).repeat(views)
        return group[:, None] == (collectives.gather(group) if self.negatives == "all_ranks" else group)

    def _corrected(self, similarity: Float[Tensor, "rows choices"], positive: Float[Tensor, "rows"]) -> Tensor:
        """The logarithm of the sum below, of negatives that are weighed and freed of the image's own class."""
        seen = similarity.isfinite()  # 0 times the -inf of what is left out would be NaN
        count, importance = seen.sum(1), (self.hardness * similarity).masked_fill(~seen, -torch.inf)
        weighed = (similarity + importance).logsumexp(1) - importance.logsumexp(1)
        negatives = count * (weighed.exp() - self.same_class * positive.exp()) / (1 - self.same_class)
        negatives = negatives.maximum(count * torch.exp(-1 / torch.as_tensor(self.temperature)))
        return negatives.log() if self.decoupled else (negatives + positive.exp()).log()

    def landmarks(
        self,
        embeddings: Float[Tensor, "views batch dim"],
        older: Float[Tensor, "size dim"] | None = None,
        labels: Int64[Tensor, "batch"] | None = None,  # noqa: ARG002
    ) -> dict[str, float]:
        """Chance, and equally the value when all embeddings are one: log(2N - 1) of two views, without older rows."""
        images = embeddings.shape[1] * (collectives.ranks() if self.negatives == "all_ranks" else 1)
        choices = len(embeddings) * images - 1 - self.decoupled + (0 if older is None else len(older))
        return {"chance": math.log(choices), "collapsed": math.log(choices)} if choices else {}

    def monitors(
        self,
        embeddings: Float[Tensor, "views batch dim"],
        older: Float[Tensor, "size dim"] | None = None,  # noqa: ARG002
        labels: Int64[Tensor, "batch"] | None = None,  # noqa: ARG002
    ) -> dict[str, Tensor]:
        """How far the choices of a view lie apart, over the temperature, among this rank's images: 0, all are alike."""
        one, other = embeddings[0].float(), embeddings[1].float()
        return {"choice_spread": (one @ other.T / self.temperature).std(1).mean()}
