"""Lays the features of patches out where the patches lay in their image (CPC, Selfie)."""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.ranges import Count


@component(source="definition")
class Arrange(nn.Module):
    """[batch * grid^2, dim], image by image, row by row, to [batch, grid, grid, dim].

    Settings:
        grid: patches in a row and in a column.
    """

    def __init__(self, *, grid: Count = 7) -> None:
        super().__init__()
        self.grid = grid

    def forward(self, features: Float[Tensor, "rows dim"]) -> Float[Tensor, "batch grid_rows grid_columns dim"]:
        if len(features) % self.grid**2:
            raise ValueError(
                f"a grid of {self.grid} has {self.grid**2} patches, and {len(features)} rows are no multiple"
            )
        return features.reshape(-1, self.grid, self.grid, features.shape[1])
