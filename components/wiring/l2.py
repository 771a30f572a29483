"""Brings each feature vector to unit length."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import normalize

from sslgraph.component import component


@component(source="definition", title="ℓ2-norm", rows="unit")
class L2(nn.Module):
    """x / |x|; a zero vector stays zero.

    The vector is the last axis of rows [batch, dim] and tokens [batch, tokens, dim], and the channels of a map [batch,
    dim, rows, columns].
    """

    def forward(self, features: Float[Tensor, "batch *shape"]) -> Float[Tensor, "batch *shape"]:
        return normalize(features, dim=1 if features.dim() == 4 else -1)
