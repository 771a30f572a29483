"""Means over the places of an image, each with weights of its own: slots, parts, visual words (SlotCon, LEWEL)."""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component


@component(source="definition; arXiv:2205.15288, section 3.2, attentive pooling to slots", title="weighted means")
class WeightedMeans(nn.Module):
    """out[b, k] = sum over places of  weights[b, place, k] tokens[b, place] / sum over places of weights[b, place, k]

    The weights are not negative, such as softmax(prototypes(tokens)); a mean without weight is 0. The gradient passes
    to both. wiring.region_means takes a label map itself for the weights.
    """

    def forward(
        self, tokens: Float[Tensor, "batch places dim"], weights: Float[Tensor, "batch places means"]
    ) -> Float[Tensor, "batch means dim"]:
        return weights.transpose(1, 2) @ tokens / weights.sum(1).clamp_min(1e-6)[..., None]
