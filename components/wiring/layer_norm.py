"""Brings each vector to mean 0 and variance 1, without weights (the targets of I-JEPA and data2vec)."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from sslgraph.component import component


@component(source="arXiv:1607.06450, equation 4, without gain and bias; arXiv:2301.08243's targets", rows="raw")
class LayerNorm(nn.Module):
    """(x - mean(x)) / sqrt(var(x) + 1e-5) over the last axis; var has n in its denominator."""

    def forward(self, features: Float[Tensor, "*rows dim"]) -> Float[Tensor, "*rows dim"]:
        return functional.layer_norm(features, features.shape[-1:])
