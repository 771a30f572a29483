"""Brings each image or patch to mean 0 and variance 1, so that its light tells nothing."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component


@component(source="arXiv:1603.09246, section 4.2; arXiv:1901.09005, section 4.2", title="standardise")
class Standardize(nn.Module):
    """(x - mean(x)) / deviation(x), over all channels and pixels of an image; an image of one colour becomes 0."""

    def forward(
        self, images: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels height width"]:
        variance, mean = torch.var_mean(images, (1, 2, 3), correction=0, keepdim=True)
        return (images - mean) * (variance + 1e-6).rsqrt()
