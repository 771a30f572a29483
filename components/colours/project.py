"""Takes green against magenta out of an image, where chromatic aberration tells places (relative patch)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component

# Green against red and blue: lenses bend it differently.
_AXIS = (-1.0, 2.0, -1.0)


@component(source="arXiv:1505.05192, section 3.1 (projection)", title="colour projection")
class Project(nn.Module):
    """(I - a a' / a'a) rgb with a = (-1, 2, -1): green becomes the mean of the three, grey stays as it is.

    Gives red, green and blue again. It is linear, so it may stand before or behind a change of light.
    """

    matrix: Tensor

    def __init__(self) -> None:
        super().__init__()
        axis = torch.tensor(_AXIS)
        self.register_buffer("matrix", torch.eye(3) - torch.outer(axis, axis) / (axis @ axis), persistent=False)

    def forward(self, images: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch 3 height width"]:
        return torch.einsum("cd,bdhw->bchw", self.matrix.to(images.dtype), images)
