"""Softmax: scores become shares, so that a loss takes them for a target or a flow averages them."""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.ranges import PositiveScalar


@component(source="definition", float32=True)
class Softmax(nn.Module):
    """shares = softmax(scores / temperature) over the last axis; the gradient passes.

    Settings:
        temperature: divides the scores, no unit; towards 0 the highest score takes all.
    """

    def __init__(self, *, temperature: PositiveScalar = 1.0) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(self, scores: Float[Tensor, "batch *places classes"]) -> Float[Tensor, "batch *places classes"]:
        return (scores / self.temperature).softmax(-1)
