"""Prototypes: the scores of a feature against trained unit vectors (SwAV)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear, normalize

from sslgraph.component import component, filled, writes
from sslgraph.ranges import Count, Several


@component(source="arXiv:2006.09882, section 3.1", role="prototypes")
class Prototypes(nn.Module):
    """score[k] = features . weight[k], a cosine when the features come with unit length.

    The rows of `weight` have unit length at the start, and again after each `normalize()` in after_step, so at every
    forward: the step between leaves the sphere, as in the authors' code.

    Settings:
        out: prototypes.
        dim: width of the input; filled from what arrives.
    """

    def __init__(self, *, out: Several = 3000, dim: Count | None = None) -> None:
        super().__init__()
        dim = filled(dim, "dim")
        self.weight = nn.Linear(dim, out, bias=False).weight
        self.normalize()

    def forward(self, features: Float[Tensor, "*rows dim"]) -> Float[Tensor, "*rows out"]:
        return linear(features, self.weight)

    @writes
    @torch.no_grad()
    def normalize(self) -> None:
        """Brings every prototype back to unit length."""
        self.weight.copy_(normalize(self.weight, dim=1))
