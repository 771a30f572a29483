"""Binary cross-entropy: a judge calls all it is shown real, or all of it fake."""
# ruff: noqa: ARG002 - landmarks take the ports of forward and may need the shape of one only

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from sslgraph.component import component
from sslgraph.ranges import Share


@component(source="arXiv:1604.07379, equation 2", title="binary cross-entropy", kind="binary cross-entropy")
class Binary(nn.Module):
    """Cross-entropy of logits with one constant answer.

        loss = mean of  - target log sigmoid(logit) - (1 - target) log sigmoid(-logit)

    Settings:
        target: the probability that the answer is yes: 1 real, 0 fake; 0.9 is one-sided label smoothing. No unit.
    """

    def __init__(self, *, target: Share = 1.0) -> None:
        super().__init__()
        if not 0 <= target <= 1:
            raise ValueError(f"losses.binary: target is a probability and must lie from 0 to 1, and it is {target}")
        self.target = target

    def forward(self, logits: Float[Tensor, "batch ..."]) -> Float[Tensor, ""]:
        return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, self.target))

    def landmarks(self, logits: Float[Tensor, "batch ..."]) -> dict[str, float]:
        """An undecided judge (probability 1/2): log 2."""
        return {"chance": math.log(2)}
