"""Makes the parts of an image views of it, so that a loss of two views compares two patches (InfoMin)."""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.ranges import Count


@component(source="definition; arXiv:2005.10243, section 4.1, compares two patches of an image", rows="same")
class AsViews(nn.Module):
    """[batch * parts, dim], image by image, to [parts, batch, dim]: part i of each image is view i.

    Settings:
        parts: parts of an image, such as the patches of a grid.
    """

    def __init__(self, *, parts: Count = 4) -> None:
        super().__init__()
        self.parts = parts

    def forward(self, rows: Float[Tensor, "rows dim"]) -> Float[Tensor, "views batch dim"]:
        if len(rows) % self.parts:
            raise ValueError(
                f"wiring.as_views takes {self.parts} parts an image, and {len(rows)} rows are no multiple of that"
            )
        return rows.view(-1, self.parts, rows.shape[1]).transpose(0, 1)
