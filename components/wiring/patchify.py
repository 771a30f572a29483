"""Cuts an image into square patches, each a row of numbers (MAE's targets)."""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.ranges import Count


@component(source="arXiv:2111.06377, section 3; the order of the numbers is that of the authors' code")
class Patchify(nn.Module):
    """[batch, channels, height, width] to [batch, patches, size * size * channels].

    Patches go row by row; the numbers of a patch go by row, then column, then channel (channel fastest).

    Settings:
        size: side of a patch in pixels.
    """

    def __init__(self, *, size: Count = 16) -> None:
        super().__init__()
        self.size = size

    def forward(self, images: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch patches numbers"]:
        height, width = images.shape[2:]
        if height % self.size or width % self.size:
            raise ValueError(
                f"wiring.patchify: patches of {self.size} pixels do not divide an image of {height} x {width}; "
                f"change the patch size, or make the sides of the view multiples of it, {self.size} at the least"
            )
        batch, channels = images.shape[:2]
        grid = images.reshape(batch, channels, height // self.size, self.size, width // self.size, self.size)
        # batch, channel, patch row, row, patch column, column -> batch, patch row, patch column, row, column, channel
        return grid.permute(0, 2, 4, 3, 5, 1).flatten(3).flatten(1, 2)
