"""Makes the cells of a map rows, so that a loss of rows compares cells (DenseCL)."""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component


@component(source="arXiv:2011.09157, equation 2", folds="map")
class Cells(nn.Module):
    """[batch, dim, rows, columns] to [batch * rows * columns, dim]: image by image, and row by row in an image."""

    def forward(self, map: Float[Tensor, "batch dim rows columns"]) -> Float[Tensor, "cells dim"]:
        return map.flatten(2).transpose(1, 2).flatten(0, 1)
