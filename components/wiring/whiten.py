"""Makes features uncorrelated and of variance 1 over the batch, so that they can't collapse (W-MSE, Zero-CL)."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph import collectives
from sslgraph.component import component
from sslgraph.errors import SettingError
from sslgraph.ranges import Share


@component(
    source="arXiv:2007.06346, section 3.1; zca: arXiv:1804.08450",
    float32=True,
    spans_batch=True,
    repels="features",
    idea="whitening",
)
class Whiten(nn.Module):
    """out = (features - mean) W,   W^T C W = 1,   C = (1 - shrink) covariance + shrink * identity

    Mean and covariance (with n - 1) are those of the global batch, for each view by itself. The gradient passes through
    both.

    Settings:
        by: cholesky, W is the inverse transpose of C's triangular root (W-MSE); zca, W = C^(-1/2), the nearest one.
        shrink: how far the covariance is drawn to the identity; 0 needs more images than features.
    """

    def __init__(self, *, by: Literal["cholesky", "zca"] = "cholesky", shrink: Share = 0.0) -> None:
        super().__init__()
        self.by = by
        self.shrink = shrink

    def forward(self, features: Float[Tensor, "views batch dim"]) -> Float[Tensor, "views batch dim"]:
        images, dim = features.shape[1] * collectives.ranks(), features.shape[2]
        if images < 2 or (images <= dim and not self.shrink):
            problem = f"{images} images can't whiten {dim} features: their covariance has no inverse"
            raise SettingError(self, "shrink", 0.01, problem)
        centred = features - collectives.all_sum_with_gradient(features.sum(1, keepdim=True)) / images
        covariance = collectives.all_sum_with_gradient(centred.transpose(1, 2) @ centred) / (images - 1)
        identity = torch.eye(dim, dtype=features.dtype, device=features.device)
        covariance = (1 - self.shrink) * covariance + self.shrink * identity
        if self.by == "cholesky":
            root = torch.linalg.cholesky(covariance)
            white: Tensor = torch.linalg.solve_triangular(root, centred.transpose(1, 2), upper=False).transpose(1, 2)
            return white
        values, vectors = torch.linalg.eigh(covariance)
        inverse: Tensor = (vectors * values.rsqrt()[:, None]) @ vectors.transpose(1, 2)
        return centred @ inverse
