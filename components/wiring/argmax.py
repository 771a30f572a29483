"""The number of the highest score: a class for each image or place, made from scores."""

from jaxtyping import Float, Int64
from torch import Tensor, nn

from sslgraph.component import component


@component(source="definition", detached=("scores",))
class Argmax(nn.Module):
    """labels[...] = argmax_k scores[..., k]; no gradient passes. Of equal scores the first counts."""

    def forward(self, scores: Float[Tensor, "batch *places classes"]) -> Int64[Tensor, "batch *places"]:
        return scores.detach().argmax(-1)
