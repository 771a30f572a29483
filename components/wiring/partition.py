"""The scale of an image's scores: what a softmax over the whole memory would divide by (InstDisc, PIRL)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.ranges import PositiveScalar


@component(source="arXiv:1805.01978, equation 8", detached=("*",), float32=True)
class Partition(nn.Module):
    """mean over own and noise n of exp(query . n / temperature); times the images, it estimates the softmax's divisor.

    Settings:
        temperature: divides the similarities, no unit; that of the loss.
    """

    def __init__(self, *, temperature: PositiveScalar = 0.07) -> None:
        super().__init__()
        self.temperature = temperature

    @torch.no_grad()
    def forward(
        self,
        query: Float[Tensor, "batch dim"],
        own: Float[Tensor, "batch dim"],
        noise: Float[Tensor, "batch count dim"],
    ) -> Float[Tensor, "batch"]:
        scores = (torch.cat([own[:, None], noise], 1) @ query[..., None])[..., 0]
        return (scores / self.temperature).exp().mean(1)
