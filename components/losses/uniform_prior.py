"""Uniform prior: the probabilities of codes are held near those of a fair die (dVAE)."""

import math

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component

from .swav import entropy


@component(
    source="arXiv:2102.12092, equation 1 and appendix A.3", title="uniform prior", kind="KL divergence from uniform"
)
class UniformPrior(nn.Module):
    """The mean over images and places of KL(q || uniform) = log K - H(q),   q = softmax(logits) over K codes, in nats

    From 0, where all codes are alike, to log K, where each place has a code for certain.
    """

    def forward(self, logits: Float[Tensor, "batch *places codes"]) -> Float[Tensor, ""]:
        logs = logits.log_softmax(-1)
        return math.log(logits.shape[-1]) + (logs.exp() * logs).sum(-1).mean()

    def monitors(self, logits: Float[Tensor, "batch *places codes"]) -> dict[str, Tensor]:
        """How many codes a place wavers between, and how many are in use over the batch, in effect."""
        shares = logits.float().softmax(-1).flatten(0, -2)
        return {"codes_a_place": entropy(shares).mean().exp(), "codes_used": entropy(shares.mean(0)).exp()}
