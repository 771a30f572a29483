"""Covariance: no feature says what another one says (VICReg)."""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph import collectives
from sslgraph.component import component


@component(
    source="arXiv:2105.04906, equations 3 and 4",
    kind="covariance",
    repels="features",
    idea="variance and covariance terms",
    spans_batch=True,
)
class Covariance(nn.Module):
    """The squared covariances of different features, over the global batch and for each view by itself.

        loss = mean over views of  1/dim sum_{i != j} C[i, j]^2,     C = sum_n (z[n] - mean)(z[n] - mean)^T / (n - 1)

    Zero for features that vary independently, and for constant ones. The paper adds the views: a weight of 2 for two
    views is its weight of 1.
    """

    def forward(self, features: Float[Tensor, "views batch dim"]) -> Float[Tensor, ""]:
        images = features.shape[1] * collectives.ranks()
        if images < 2:
            raise ValueError("losses.covariance compares features over a batch, and this batch has 1 image")
        centred = features - collectives.all_sum_with_gradient(features.sum(1))[:, None] / images
        covariance = collectives.all_sum_with_gradient(centred.transpose(1, 2) @ centred) / (images - 1)
        # The whole square minus its diagonal: cheaper than masking a dim x dim matrix.
        off = covariance.square().sum((1, 2)) - covariance.diagonal(dim1=1, dim2=2).square().sum(1)
        return off.mean() / features.shape[2]
