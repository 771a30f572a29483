"""The diagonal of a matrix: of each feature, or each row, what stands at its own place (Barlow Twins with HSIC)."""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component


@component(source="definition; arXiv:2104.13712, equation 3, whose diagonal has a target of its own")
class Diagonal(nn.Module):
    """out[i] = matrix[i, i]

    similarity(l2(as_columns(a)), l2(as_columns(b))) are the correlations of two centred views over the images of all
    ranks, and their diagonal is how far each feature agrees with itself.
    """

    def forward(self, matrix: Float[Tensor, "features features"]) -> Float[Tensor, "features"]:
        return matrix.diagonal()
