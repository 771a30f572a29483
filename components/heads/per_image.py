"""A classifier with a class for each image of the data set (Exemplar CNN)."""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component, filled
from sslgraph.ranges import Count


@component(source="arXiv:1406.6909, equation 2")
class PerImage(nn.Module):
    """Scores of all images: features W + b. Class i is image i, whose index is the label.

    It has images x dim weights: thousands of images, not millions (InstDisc keeps a memory instead).

    Settings:
        dim: width of the input; filled from what arrives.
        images: images in the data set; filled from it.
    """

    def __init__(self, *, dim: Count | None = None, images: Count | None = None) -> None:
        super().__init__()
        self.layer = nn.Linear(filled(dim, "dim"), filled(images, "images", "the data set"))

    def forward(self, features: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch images"]:
        return self.layer(features)  # type: ignore[no-any-return]
