"""Rows of a table drawn at random for each image: the noise of noise-contrastive estimation (InstDisc, PIRL)."""
# ruff: noqa: ARG002 - the samples only say for how many rows are drawn

from jaxtyping import Float, Int64
from torch import Tensor, nn

from sslgraph import draws
from sslgraph.component import component
from sslgraph.draws import Draw
from sslgraph.ranges import Count


@component(source="arXiv:1805.01978, section 3.2", detached=("rows",))
class RandomRows(nn.Module):
    """`count` rows for each image, uniformly and with replacement: an image may draw its own row, and one twice.

    Settings:
        count: rows for each image.
    """

    def __init__(self, *, count: Count = 4096) -> None:
        super().__init__()
        self.count = count

    def forward(
        self, index: Int64[Tensor, "batch"], rows: Float[Tensor, "size dim"], draw: Draw
    ) -> Float[Tensor, "batch count dim"]:
        return rows.detach()[draws.integers(draw, self.count, len(rows))]
