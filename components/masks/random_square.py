"""Random square (context encoder, for features): a hole anywhere in the image, each image by its own draw."""

import torch
from jaxtyping import Float
from torch import Tensor

from sslgraph.component import component
from sslgraph.draws import Draw, uniform

from .square import Hole, Square


@component(
    source="arXiv:1604.07379, section 3.3 (random block), with one square instead of several", role="mask", shows="hole"
)
class RandomSquare(Square):
    """A square at a place of its own in every image is to be painted; all of it but a ring stays invisible.

    A network that never sees the middle of an image learns nothing for it; here every place is seen now and then. All
    places at which the square lies inside the image are equally likely.
    """

    def forward(self, image: Float[Tensor, "batch 3 rows columns"], draw: Draw) -> Hole:
        room = torch.tensor(image.shape[2:], device=draw.device) - self.size + 1
        if min(image.shape[2:]) < self.size:
            raise ValueError(f"a square of {self.size} pixels does not fit {list(image.shape[2:])}; set size")
        corner = (uniform(draw, 2) * room).long().minimum(room - 1)
        inside = [
            _between(first, side, self.size, self.overlap)
            for first, side in zip(corner.unbind(1), image.shape[2:], strict=True)
        ]
        hidden = (inside[0][:, :, None] & inside[1][:, None, :])[:, None]
        within = torch.arange(self.size, device=draw.device)
        rows, columns = (first[:, None] + within for first in corner.unbind(1))
        patch = image.gather(2, rows[:, None, :, None].expand(-1, image.shape[1], -1, image.shape[3]))
        patch = patch.gather(3, columns[:, None, None, :].expand(-1, image.shape[1], self.size, -1))
        filled = torch.where(hidden, self.colour.to(image.dtype), image)
        return Hole(filled, patch, self.weight.expand(len(image), -1, -1))


def _between(first: Tensor, side: int, size: int, overlap: int) -> Tensor:
    """Which places of a side lie inside the ring, for each image."""
    place = torch.arange(side, device=first.device)
    return (place >= first[:, None] + overlap) & (place < first[:, None] + size - overlap)
