"""A square of an image that is to be painted: what it is filled with, and what each of its pixels weighs."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.ranges import Count, NotNegative, Whole


class Hole(NamedTuple):
    """The image with its hole filled, the square to be painted, and the weight of each of its pixels."""

    image: Float[Tensor, "batch channels rows columns"]
    patch: Float[Tensor, "batch channels hole_rows hole_columns"]
    weight: Float[Tensor, "batch hole_rows hole_columns"]


class Square(nn.Module):
    """A square with a visible ring; where it lies is said by the masks that are derived from it.

    Settings:
        size: side of the square in pixels.
        overlap: width of the visible ring in pixels.
        ring_weight: weight of the ring's pixels, no unit; the others weigh 1.
        fill: the colour of the hole, in the space of the normalised image. The default is the mean (117, 104, 123) of
            255 for images in -1..1; after normalisation by mean and deviation it is (0, 0, 0).
    """

    colour: Tensor
    weight: Tensor

    def __init__(
        self,
        *,
        size: Count = 64,
        overlap: Whole = 4,
        ring_weight: NotNegative = 10.0,
        fill: tuple[float, float, float] = (-0.0823529, -0.1843137, -0.0352941),
    ) -> None:
        super().__init__()
        self.size = size
        self.overlap = overlap
        self.register_buffer("colour", torch.tensor(fill)[:, None, None])
        self.register_buffer("weight", ring(size, overlap, ring_weight))


def ring(size: int, overlap: int, weight: float) -> Float[Tensor, "size size"]:
    """The weights of a square's pixels: `weight` on a ring `overlap` pixels wide, 1 inside; refuses all ring."""
    if not 0 <= 2 * overlap < size:
        raise ValueError(f"a ring of {overlap} pixels leaves nothing to hide in a square of {size}; set overlap")
    weights = torch.full((size, size), weight)
    weights[overlap : size - overlap, overlap : size - overlap] = 1.0
    return weights
