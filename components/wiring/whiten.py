"""Makes features uncorrelated over the batch, or images over the features: neither can collapse (W-MSE, Zero-CL)."""

from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph import collectives
from sslgraph.component import component
from sslgraph.errors import SettingError
from sslgraph.ranges import Share


@component(
    source="arXiv:2007.06346, section 3.1; zca: arXiv:1804.08450; over images: Zhang et al., Zero-CL (ICLR 2022)",
    float32=True,
    spans_batch=True,
    repels="features",
    idea="whitening",
)
class Whiten(nn.Module):
    """out = (features - mean) W,   W^T C W = 1,   C = (1 - shrink) covariance + shrink * identity

    Mean and covariance (with n - 1) are those of the global batch, for each view by itself. The gradient passes through
    both. Over images the table is turned: each image loses the mean of its own features, and images change places with
    features in W and C.

    Settings:
        over: features, no two features of the batch go together; images, no two images of the batch do (Zero-CL).
        by: cholesky, W is the inverse transpose of C's triangular root (W-MSE); zca, W = C^(-1/2), the nearest one.
        shrink: how far the covariance is drawn to the identity; 0 needs more images than features, and over images
            more features than images.
    """

    def __init__(
        self,
        *,
        over: Literal["features", "images"] = "features",
        by: Literal["cholesky", "zca"] = "cholesky",
        shrink: Share = 0.0,
    ) -> None:
        super().__init__()
        self.over = over
        self.by = by
        self.shrink = shrink

    def forward(self, features: Float[Tensor, "views batch dim"]) -> Float[Tensor, "views batch dim"]:
        images, dim = features.shape[1] * collectives.ranks(), features.shape[2]
        samples, width = (images, dim) if self.over == "features" else (dim, images)
        if samples < 2 or (samples <= width and not self.shrink):
            problem = f"{images} images can't whiten {dim} features: their covariance has no inverse"
            if self.over == "images":
                problem = f"{dim} features can't whiten {images} images: their covariance has no inverse"
            raise SettingError(self, "shrink", 0.01, problem)
        if self.over == "images":
            return self._images(features)
        centred = features - collectives.all_sum_with_gradient(features.sum(1, keepdim=True)) / images
        return self._white(centred, collectives.all_sum_with_gradient(centred.transpose(1, 2) @ centred) / (images - 1))

    def _images(self, features: Float[Tensor, "views batch dim"]) -> Float[Tensor, "views batch dim"]:
        """Every rank whitens the images of all ranks and keeps its own."""
        everyone = collectives.gather_with_gradient(features.transpose(0, 1))
        turned = everyone.permute(1, 2, 0)  # views, features, images
        centred = turned - turned.mean(1, keepdim=True)
        white = self._white(centred, centred.transpose(1, 2) @ centred / (features.shape[2] - 1)).transpose(1, 2)
        return white.chunk(collectives.ranks(), 1)[collectives.rank()]

    def _white(
        self, centred: Float[Tensor, "views samples width"], covariance: Float[Tensor, "views width width"]
    ) -> Float[Tensor, "views samples width"]:
        identity = torch.eye(centred.shape[2], dtype=centred.dtype, device=centred.device)
        covariance = (1 - self.shrink) * covariance + self.shrink * identity
        if self.by == "cholesky":
            root = torch.linalg.cholesky(covariance)
            white: Tensor = torch.linalg.solve_triangular(root, centred.transpose(1, 2), upper=False).transpose(1, 2)
            return white
        inverse: Tensor = _InverseRoot.apply(covariance)
        return centred @ inverse


class _InverseRoot(torch.autograd.Function):
    """C^(-1/2). eigh's own gradient divides by differences of eigenvalues, and all that `shrink` alone lifts are equal.

    With C = U diag(r^2) U^T and G the gradient of the result it is  -U (U^T G U / (r r' (r + r'))) U^T.
    """

    @staticmethod
    def forward(context: Any, covariance: Tensor) -> Tensor:
        values, vectors = torch.linalg.eigh(covariance)
        roots = values.sqrt()
        context.save_for_backward(roots, vectors)
        inverse: Tensor = (vectors / roots[:, None]) @ vectors.transpose(1, 2)
        return inverse

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        roots, vectors = context.saved_tensors
        one, other, back = roots[:, None], roots[:, :, None], vectors.transpose(1, 2)
        turned = back @ gradient @ vectors / (one * other * (one + other))
        return -vectors @ turned @ back  # type: ignore[no-any-return]
