"""Turns images by quarter turns and says by how many (RotNet)."""

from typing import Literal, NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from sslgraph import draws
from sslgraph.component import component
from sslgraph.draws import Draw


class Rotated(NamedTuple):
    """Turned images, and the number of quarter turns of each."""

    image: Float[Tensor, "rows channels height width"]
    label: Int64[Tensor, "rows"]


@component(source="arXiv:1803.07728, section 3.1", shows="turns")
class Rotations(nn.Module):
    """Label r is r quarter turns counter-clockwise: exact moves of pixels, nothing is resampled.

    Settings:
        variant: all gives each image in its four turns, one after the other, labels 0, 1, 2, 3 (the paper's better
            way); one gives each image in one turn drawn at random.
    """

    def __init__(self, *, variant: Literal["all", "one"] = "all") -> None:
        super().__init__()
        self.variant = variant

    def forward(self, images: Float[Tensor, "batch channels height width"], draw: Draw) -> Rotated:
        batch, _, height, width = images.shape
        if height != width:
            raise ValueError(
                f"wiring.rotations turns square images, and these are {height} x {width}; "
                "crop the view to a square, since bars beside a turned image would tell the turn"
            )
        turns = torch.stack([images.rot90(quarter, (2, 3)) for quarter in range(4)], 1)
        if self.variant == "all":
            return Rotated(turns.flatten(0, 1), torch.arange(4, device=images.device).repeat(batch))
        label = draws.integers(draw, 1, 4)[:, 0]
        return Rotated(turns[torch.arange(batch, device=images.device), label], label)
