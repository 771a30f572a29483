"""Hypercolumn: what all layers of a network say about one point of the image, side by side (colorization)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component


@component(source="arXiv:1411.5752; arXiv:1603.06668, section 3.2")
class Hypercolumn(nn.Module):
    """Each map read at each point, bilinearly between the centres of its cells, and the maps' channels joined.

    Points are fractions of the sides, [batch, points, (row, column)]; beyond the outermost centres a map continues as
    it is there. Without upsampling: only what is asked for is computed.
    """

    def forward(
        self,
        points: Float[Tensor, "batch points 2"],
        one: Float[Tensor, "batch dim_one rows_one columns_one"],
        two: Float[Tensor, "batch dim_two rows_two columns_two"] | None = None,
        three: Float[Tensor, "batch dim_three rows_three columns_three"] | None = None,
        four: Float[Tensor, "batch dim_four rows_four columns_four"] | None = None,
    ) -> Float[Tensor, "batch points joined"]:
        return torch.cat([_read(points, map) for map in (one, two, three, four) if map is not None], 2)


def _read(points: Tensor, map: Tensor) -> Tensor:
    """A product with two tables of weights, so that its gradient is the same on every device and in every run."""
    down, across = (_weights(points[..., axis], map.shape[2 + axis]).to(map.dtype) for axis in (0, 1))
    return (torch.einsum("bdrc,bpc->bprd", map, across) * down[..., None]).sum(2)


def _weights(place: Tensor, cells: int) -> Tensor:
    """[batch, points, cells]: 1 at the centre of a cell, 0 from the next centre on."""
    at = (place * cells - 0.5).clamp(0, cells - 1)
    return (1 - (at[..., None] - torch.arange(cells, device=place.device)).abs()).clamp_min(0)
