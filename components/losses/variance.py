"""Variance: each feature keeps a spread over the batch (VICReg)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph import collectives
from sslgraph.component import component
from sslgraph.ranges import Positive

EPSILON = 1e-4  # inside the root, as in the authors' code


@component(
    source="arXiv:2105.04906, equations 1 and 2",
    kind="variance",
    repels="features",
    idea="variance and covariance terms",
    spans_batch=True,
)
class Variance(nn.Module):
    """A hinge on the standard deviation of each feature, over the global batch and for each view by itself.

        loss = mean over views and features of  max(0, least - sqrt(var + 1e-4)),     var with n - 1

    Zero once every feature varies enough. The paper adds two views, the authors' code takes their mean, as here.

    Settings:
        least: the deviation that a feature should have at least (the paper's gamma).
    """

    def __init__(self, *, least: Positive = 1.0) -> None:
        super().__init__()
        self.least = least

    def forward(self, features: Float[Tensor, "views batch dim"]) -> Float[Tensor, ""]:
        return (self.least - (variances(features) + EPSILON).sqrt()).relu().mean()

    def landmarks(self, features: Float[Tensor, "views batch dim"]) -> dict[str, float]:  # noqa: ARG002
        """Constant features have no variance."""
        return {"collapsed": max(0.0, self.least - EPSILON**0.5)}


def variances(features: Float[Tensor, "views batch dim"]) -> Float[Tensor, "views dim"]:
    """Of each feature of each view, over the images of all ranks."""
    images = features.shape[1] * collectives.ranks()
    if images < 2:
        raise ValueError("losses.variance compares features over a batch, and this batch has 1 image")
    centred = features - collectives.all_sum_with_gradient(features.sum(1))[:, None] / images
    return collectives.all_sum_with_gradient(torch.sum(centred.square(), 1)) / (images - 1)
