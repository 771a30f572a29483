"""Cross-entropy, or the divergence KL, with a distribution over classes as target, of an image or of each place."""
# ruff: noqa: ARG002 - landmarks take the ports of forward and may need the shape of one only

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.ranges import PositiveScalar


@component(
    source="arXiv:1603.08511, equation 2; arXiv:1603.06668, equation 8, for minus_entropy",
    title="soft cross-entropy",
    kind="cross-entropy",
    detached=("where",),
    fixed=("target",),
)
class SoftCrossEntropy(nn.Module):
    """The mean over images and places of  where * ( - sum_q target[q] log softmax(logits / temperature)[q] ).

    The mean is over all places, whatever they weigh: a place of weight 2 has twice the gradient; 0 without places.
    No gradient into the target is meant, but none is stopped.

    Settings:
        temperature: divides the logits, no unit.
        minus_entropy: take the entropy of the target off (the divergence KL), so that 0 is the best.
    """

    def __init__(self, *, temperature: PositiveScalar = 1.0, minus_entropy: bool = False) -> None:
        super().__init__()
        self.temperature = temperature
        self.minus_entropy = minus_entropy

    def forward(
        self,
        logits: Float[Tensor, "batch *places classes"],
        target: Float[Tensor, "batch *places classes"],
        where: Float[Tensor, "batch *places"] | None = None,
    ) -> Float[Tensor, ""]:
        costs = -(target * (logits / self.temperature).log_softmax(-1)).sum(-1)
        if self.minus_entropy:
            costs = costs + torch.special.xlogy(target, target).sum(-1)
        return (costs if where is None else where.detach() * costs).sum() / max(1, costs.numel())

    def landmarks(
        self,
        logits: Float[Tensor, "batch *places classes"],
        target: Float[Tensor, "batch *places classes"],
        where: Float[Tensor, "batch *places"] | None = None,
    ) -> dict[str, float]:
        """Uniform guessing at a mean weight of 1: the log of the number of classes; less an entropy, unknown."""
        return {} if self.minus_entropy else {"chance": math.log(logits.shape[-1])}
