"""Features in fewer dimensions, uncorrelated and of equal variance (DeepCluster, before k-means)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.errors import SettingError
from sslgraph.ranges import Count


@component(
    source="arXiv:1807.05520, section 4.1; the power is that of faiss's PCA matrix",
    title="PCA whitening",
    detached=("features",),
    float32=True,
)
class PcaWhiten(nn.Module):
    """Projects on the leading principal components of these very features, and scales each.

        y_i = (x - mean).v_i * lambda_i^power,     lambda_i, v_i eigenvalues and eigenvectors of the covariance

    The covariance of y is the identity at power -1/2. Signs are fixed: the largest entry of each v_i is positive.

    Settings:
        out: dimensions kept.
        power: of the eigenvalues; -0.5 whitens, 0 only rotates, no unit.
    """

    def __init__(self, *, out: Count = 256, power: float = -0.5) -> None:
        super().__init__()
        self.out = out
        self.power = power

    def fits(self, images: int) -> None:
        """SettingError where so many images have fewer principal components than `out`."""
        if self.out >= images:
            problem = f"{images} images have at most {images - 1} principal components, and out is {self.out}"
            raise SettingError(self, "out", images - 1, problem)

    @torch.no_grad()
    def forward(self, features: Float[Tensor, "images dim"]) -> Float[Tensor, "images out"]:
        images, dim = features.shape
        self.fits(images)
        if self.out > dim:
            problem = f"{dim} features have at most {dim} principal components, and out is {self.out}"
            raise SettingError(self, "out", dim, problem)
        centred = features - features.mean(0)
        # Eigenvalues in float64: whitening divides by the small ones.
        values, vectors = torch.linalg.eigh((centred.T @ centred / images).double())
        values, vectors = values.flip(0)[: self.out], vectors.flip(1)[:, : self.out]
        largest = vectors.gather(0, vectors.abs().argmax(0, keepdim=True))
        floor = values[:1] * torch.finfo(features.dtype).eps
        scale = torch.maximum(values, floor).pow(self.power)
        projection: Tensor = (vectors * largest.sign() * scale).to(features.dtype)
        return centred @ projection
