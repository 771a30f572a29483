"""Sobel: an image becomes its horizontal and vertical edges, so that colour can't be a shortcut."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import conv2d

from sslgraph.component import component


@component(source="arXiv:1807.05520, section 4 (DeepCluster's fixed first layer)", role="encoder")
class Sobel(nn.Module):
    """The mean of red, green and blue, then the two 3 x 3 Sobel filters; never trained.

    Border pixels see zeros around the image.
    """

    filters: Tensor

    def __init__(self) -> None:
        super().__init__()
        across = torch.tensor([[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]])
        down = torch.tensor([[1.0, 2.0, 1.0], [0.0, 0.0, 0.0], [-1.0, -2.0, -1.0]])
        self.register_buffer("filters", torch.stack([across, down])[:, None])

    def forward(
        self, image: Float[Tensor, "batch 3 image_rows image_columns"]
    ) -> Float[Tensor, "batch 2 image_rows image_columns"]:
        return conv2d(image.mean(1, keepdim=True), self.filters, padding=1)
