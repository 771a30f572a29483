"""A toy pretext task whose labels a border gives away if it is told to, or an image's brightness, and its reader."""

from typing import Literal, NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.draws import Draw, integers


class Labelled(NamedTuple):
    image: Float[Tensor, "batch channels height width"]
    label: Int64[Tensor, "batch"]


@component(source="toy")
class Marked(nn.Module):
    """Draws one of four labels; `by: border` writes it into the first column, `pixels` takes it from the image."""

    def __init__(self, *, by: Literal["draw", "border", "pixels"] = "draw") -> None:
        super().__init__()
        self.by = by

    def forward(self, image: Float[Tensor, "batch channels height width"], draw: Draw) -> Labelled:
        label = integers(draw, 1, 4)[:, 0]
        if self.by == "pixels":
            label = (image[:, 0, 0, 0] > 0).long()
        if self.by == "border":
            image = image.clone()
            image[..., 0] = label[:, None, None].to(image.dtype)
        return Labelled(image, label)


@component(source="toy", role="encoder")
class Reads(nn.Module):
    """Scores of four classes: the nearer a class's number to the first pixel, the higher."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, image: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch classes"]:
        classes = torch.arange(4, device=image.device)
        return -self.scale * (image[:, 0, :1, 0] - classes).square()
