"""A power of a symmetric matrix by its eigenvalues: DirectPred's predictor, which is set and not trained."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.ranges import InnerShare, NotNegative, SomeShare


@component(
    source="arXiv:2102.06810, section 4; over the largest eigenvalue and eps outside the root: the authors' code",
    title="matrix power",
    detached=("matrix",),
    float32=True,
)
class MatrixPower(nn.Module):
    """out = U diag(f(s) + eps) U^T,   matrix = U diag(s) U^T,   f(s) = (max(s, 0) / max(s))^power

    A root is infinitely steep at 0, where eigenvalues are nothing but rounding. Below the share `floor` of the largest
    one f is therefore the straight line from 0 to f(floor): what rounding moves is moved by floor^(power - 1) at most.
    A matrix of zeros gives eps. wiring.similarity multiplies rows by the result. No gradient passes.

    Settings:
        power: of the eigenvalues; 0.5 in DirectPred, 1 leaves the matrix over its largest eigenvalue.
        eps: added to all, so that no direction is lost.
        floor: the share of the largest eigenvalue below which they are taken for small.
    """

    def __init__(self, *, power: SomeShare = 0.5, eps: NotNegative = 0.1, floor: InnerShare = 1e-6) -> None:
        super().__init__()
        self.power, self.eps, self.floor = power, eps, floor

    @torch.no_grad()
    def forward(self, matrix: Float[Tensor, "dim dim"]) -> Float[Tensor, "dim dim"]:
        values, vectors = torch.linalg.eigh((matrix + matrix.T) / 2)
        share = values.clamp_min(0) / values.max().clamp_min(torch.finfo(values.dtype).tiny)
        raised = torch.where(share < self.floor, share * self.floor ** (self.power - 1), share**self.power)
        out: Tensor = (vectors * (raised + self.eps)) @ vectors.T
        return out
