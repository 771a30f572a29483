"""Mean entropy: on average over a batch, images spread evenly over the prototypes (MSN)."""

import math

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph import collectives
from sslgraph.component import component
from sslgraph.ranges import PositiveScalar

from .swav import entropy


@component(
    source="arXiv:2204.07141, equation 2; facebookresearch/msn, src/losses.py (me_max)",
    title="mean entropy",
    kind="KL divergence from uniform",
    spans_batch=True,
    sane={"temperature": (0.03, 1.0)},
)
class MeanEntropy(nn.Module):
    """log K - H(p),   p = mean over views and the images of all ranks of softmax(scores / temperature), K prototypes

    0 where prototypes are used equally often, log K where one takes all images. A single image may be sharp or not:
    each image with a prototype of its own and all images uniform both give 0.

    Settings:
        temperature: divides the scores, no unit.
    """

    def __init__(self, *, temperature: PositiveScalar = 0.1) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(self, scores: Float[Tensor, "views batch prototypes"]) -> Float[Tensor, ""]:
        mine = (scores / self.temperature).softmax(-1).mean((0, 1))
        mean = collectives.all_sum_with_gradient(mine) / collectives.ranks()
        return math.log(scores.shape[-1]) - entropy(mean)

    def landmarks(self, scores: Float[Tensor, "views batch prototypes"]) -> dict[str, float]:
        """One prototype for all images: the log of their number."""
        return {"collapsed_to_one_prototype": math.log(scores.shape[-1])}
