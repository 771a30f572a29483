"""Centre square (context encoder): a hole in the middle of the image, and what was there."""

from jaxtyping import Float
from torch import Tensor

from sslgraph.component import component

from .square import Hole, Square


@component(
    source="arXiv:1604.07379, section 4.1 (central region, overlap of 4 pixels weighted 10 times)",
    role="mask",
    shows="hole",
)
class CenterSquare(Square):
    """The central square is to be painted; all of it but a ring stays invisible.

    A ring of `overlap` pixels inside the square stays visible, and counts `ring_weight` times, so that the painting
    joins its surroundings. Everything further inside is filled with one colour.
    """

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
