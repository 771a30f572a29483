"""Uniformity: features are to lie evenly on the sphere, far from each other (alignment and uniformity)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph import collectives
from sslgraph.component import component
from sslgraph.ranges import PositiveScalar


@component(
    source="arXiv:2005.10242, section 4.1 and figure 5",
    kind="log of a Gaussian potential",
    repels="samples",
    rows="unit",
    idea="uniformity on the sphere",
    spans_batch=True,
)
class Uniformity(nn.Module):
    """loss = mean over views of  log mean over pairs i < j of  exp(-t |z[i] - z[j]|^2),   z of unit length

    Pairs are of one view and of the images of all ranks. 0 where all features are one; -2 t where all are orthogonal.
    Its partner is losses.regression of two views, whose mean over features is 1 / dim of the paper's alignment.

    Settings:
        t: how fast the potential falls with the squared distance.
    """

    def __init__(self, *, t: PositiveScalar = 2.0) -> None:
        super().__init__()
        self.t = t

    def forward(self, features: Float[Tensor, "views batch dim"]) -> Float[Tensor, ""]:
        mine = features.shape[1]
        images = mine * collectives.ranks()
        if images < 2:
            raise ValueError("losses.uniformity compares features over a batch, and this batch has 1 image")
        every = collectives.gather_with_gradient(features.transpose(0, 1).contiguous()).transpose(0, 1)
        apart = 2 - 2 * features @ every.transpose(1, 2)
        numbers = torch.arange(images, device=features.device)
        is_itself = numbers[collectives.rank() * mine :][:mine, None] == numbers
        near = torch.exp(-self.t * apart).masked_fill(is_itself, 0)
        total = collectives.all_sum_with_gradient(near.sum((1, 2)))
        return (total / (images * (images - 1))).log().mean()

    def landmarks(self, features: Float[Tensor, "views batch dim"]) -> dict[str, float]:  # noqa: ARG002
        """Features that are all one have the highest potential."""
        return {"collapsed": 0.0}
