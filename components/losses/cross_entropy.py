"""Cross-entropy: name the right class, of an image or of each of its places."""
# ruff: noqa: ARG002 - landmarks take the ports of forward and may need the shape of one only

import math

from jaxtyping import Float, Int64, Shaped
from torch import Tensor, nn
from torch.nn import functional

from sslgraph import collectives
from sslgraph.component import component


@component(
    source="arXiv:1807.05520, equation 1; arXiv:2106.08254, equation 2, for classes of masked places",
    title="cross-entropy",
    kind="cross-entropy",
    classifies=("logits", "labels"),
)
class CrossEntropy(nn.Module):
    """Negative log-likelihood of integer labels, averaged over what counts.

        loss = sum_n w[n] (- log softmax(logits[n])[label[n]]) / sum_n w[n]

    w is 0 where the label is `ignore`, else `where` (1 without it); the sums run over images and places, and the
    denominator over all ranks, so that ragged masks weigh the same however the batch is split. 0 if nothing counts.

    Settings:
        ignore: the label of places that have none.
    """

    def __init__(self, *, ignore: int = -100) -> None:
        super().__init__()
        self.ignore = ignore

    def forward(
        self,
        logits: Float[Tensor, "batch *places classes"],
        labels: Int64[Tensor, "batch *places"],
        where: Shaped[Tensor, "batch *places"] | None = None,
    ) -> Float[Tensor, ""]:
        costs = functional.cross_entropy(
            logits.flatten(0, -2), labels.flatten(), ignore_index=self.ignore, reduction="none"
        )
        weights = (labels != self.ignore).to(costs.dtype).flatten()
        if where is not None:
            weights = weights * where.flatten()
        total = collectives.all_sum(weights.sum()) / collectives.ranks()
        return (costs * weights).sum() / total.clamp_min(1e-6)

    def landmarks(
        self,
        logits: Float[Tensor, "batch *places classes"],
        labels: Int64[Tensor, "batch *places"],
        where: Shaped[Tensor, "batch *places"] | None = None,
    ) -> dict[str, float]:
        """Uniform guessing: the log of the number of classes."""
        return {"chance": math.log(logits.shape[-1])}
