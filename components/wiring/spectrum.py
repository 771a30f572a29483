"""One number of a matrix, by its singular values: nuclear norm (MMCR), Frobenius norm (FroSSL), log-det, entropy."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.ranges import Positive


@component(
    source="definition; arXiv:2303.03307 for nuclear, arXiv:2310.02903 for frobenius, arXiv:2209.07999 for log_det, "
    "arXiv:2210.02885 for entropy",
    float32=True,
)
class Spectrum(nn.Module):
    """Of the singular values s of the matrix (of a symmetric one without values below 0: its eigenvalues)

        nuclear: sum s;     frobenius: sqrt(sum s^2);     log_det: sum log(s + eps);     entropy: - sum p log(p + eps)

    with p = s / max(sum s, eps): the entropy of the singular values, not that of the entries. The matrix is that of the
    whole batch, the same on all ranks: spectrum(second_moment(z)) for the products of features, spectrum(everyone(z))
    for the rows themselves. The gradient passes; of entropy and log_det it is as steep as 1 / eps where a singular
    value is 0.

    Settings:
        measure: which of the four.
        eps: added inside the logarithms, and the least sum that entropy divides by.
    """

    def __init__(self, *, measure: Literal["nuclear", "frobenius", "log_det", "entropy"], eps: Positive = 1e-4) -> None:
        super().__init__()
        self.measure = measure
        self.eps = eps

    def forward(self, matrix: Float[Tensor, "rows columns"]) -> Float[Tensor, ""]:
        if self.measure == "frobenius":
            length: Tensor = torch.linalg.vector_norm(matrix)  # its gradient at zeros is 0
            return length
        values: Tensor = torch.linalg.svdvals(matrix)
        if self.measure == "nuclear":
            return values.sum()
        if self.measure == "log_det":
            return (values + self.eps).log().sum()
        share = values / values.sum().clamp_min(self.eps)
        return -(share * (share + self.eps).log()).sum()
