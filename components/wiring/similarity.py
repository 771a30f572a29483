"""Dot products of rows with other rows (matmul): the logits of a classifier whose weights are features."""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.ranges import PositiveScalar


@component(source="arXiv:1805.01978, equation 2", multiplies=("features", "others"), sane={"temperature": (0.01, 1.0)})
class Similarity(nn.Module):
    """logits[b, n] = features[b] . others[n] / temperature.

    With a memory bank for `others` and the sample's index for label, cross-entropy of it is InstDisc's full softmax.
    Images of the batch for `others` are those of this rank: everyone(...) gives those of all.

    Settings:
        temperature: divides the dot products, no unit.
    """

    def __init__(self, *, temperature: PositiveScalar = 1.0) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(
        self, features: Float[Tensor, "batch dim"], others: Float[Tensor, "rows dim"]
    ) -> Float[Tensor, "batch rows"]:
        return features @ others.T / self.temperature
