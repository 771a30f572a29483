"""Gumbel-softmax: draws a code for each place by its probability, softly, so that a gradient passes (dVAE)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.draws import Draw, uniform
from sslgraph.ranges import PositiveScalar


@component(
    source="arXiv:1611.01144, equation 2; arXiv:2102.12092, section 2.1",
    title="Gumbel-softmax",
    float32=True,
    sane={"temperature": (0.05, 2.0)},
)
class GumbelSoftmax(nn.Module):
    """shares = softmax((logits + noise) / temperature),   noise = - log(- log u),  u uniform on (0, 1)

    The largest share is that of code k with probability softmax(logits)[k], whatever the temperature; towards 0 the
    shares become one code, near 1 they are a mixture. Noise is each image's own, in evaluation, too.

    Settings:
        temperature: divides the noisy scores, no unit (DALL-E: from 1 to 1/16 along a cosine).
    """

    def __init__(self, *, temperature: PositiveScalar = 1.0) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(self, logits: Float[Tensor, "batch places codes"], draw: Draw) -> Float[Tensor, "batch places codes"]:
        chances = uniform(draw, logits[0].numel()) + 2**-25  # in the middle of 24 bits' steps: never 0 or 1
        noise = -torch.log(-torch.log(chances)).view_as(logits)
        return ((logits + noise.to(logits.dtype)) / self.temperature).softmax(-1)
