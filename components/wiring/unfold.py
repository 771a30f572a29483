"""Joins the features of an image's parts, in the order of the parts, into one feature vector."""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.ranges import Count


@component(source="arXiv:1603.09246, figure 3")
class Unfold(nn.Module):
    """[batch * parts, dim], image by image, to [batch, parts * dim].

    Settings:
        parts: parts of an image, such as the tiles of a puzzle.
    """

    def __init__(self, *, parts: Count = 9) -> None:
        super().__init__()
        self.parts = parts

    def forward(self, features: Float[Tensor, "rows dim"]) -> Float[Tensor, "batch joined"]:
        if len(features) % self.parts:
            raise ValueError(
                f"wiring.unfold joins {self.parts} parts an image, and {len(features)} rows are no multiple of that"
            )
        return features.reshape(len(features) // self.parts, -1)
