"""Centre square (context encoder): a hole in the middle of the image, and what was there."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component


class Hole(NamedTuple):
    """The image with its hole filled, the square to be painted, and the weight of each of its pixels."""

    image: Float[Tensor, "batch channels rows columns"]
    patch: Float[Tensor, "batch channels hole_rows hole_columns"]
    weight: Float[Tensor, "batch hole_rows hole_columns"]


@component(source="arXiv:1604.07379, section 4.1 (central region, overlap of 4 pixels weighted 10 times)", role="mask")
class CenterSquare(nn.Module):
    """The central square is to be painted; all of it but a ring stays invisible.

    A ring of `overlap` pixels inside the square stays visible, and counts `ring_weight` times, so that the painting
    joins its surroundings. Everything further inside is filled with one colour.

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
        size: int = 64,
        overlap: int = 4,
        ring_weight: float = 10.0,
        fill: tuple[float, float, float] = (-0.0823529, -0.1843137, -0.0352941),
    ) -> None:
        super().__init__()
        self.size = size
        self.overlap = overlap
        self.register_buffer("colour", torch.tensor(fill)[:, None, None])
        self.register_buffer("weight", ring(size, overlap, ring_weight))

    def forward(self, image: Float[Tensor, "batch 3 rows columns"]) -> Hole:
        top, left = ((side - self.size) // 2 for side in image.shape[2:])
        if min(top, left) < 0:
            raise ValueError(f"a square of {self.size} pixels does not fit {list(image.shape[2:])}; set size")
        patch = image[:, :, top : top + self.size, left : left + self.size]
        hidden = self.size - 2 * self.overlap
        row, column = top + self.overlap, left + self.overlap
        filled = image.clone()
        filled[:, :, row : row + hidden, column : column + hidden] = self.colour.to(image.dtype)
        return Hole(filled, patch, self.weight.expand(len(image), -1, -1))


def ring(size: int, overlap: int, weight: float) -> Float[Tensor, "size size"]:
    """The weights of a square's pixels: `weight` on a ring `overlap` pixels wide, 1 inside; refuses all ring."""
    if not 0 <= 2 * overlap < size:
        raise ValueError(f"a ring of {overlap} pixels leaves nothing to hide in a square of {size}; set overlap")
    weights = torch.full((size, size), weight)
    weights[overlap : size - overlap, overlap : size - overlap] = 1.0
    return weights
