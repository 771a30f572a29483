"""Cosine classifier: scores of unit features against unit rows (CAPI's head)."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import normalize

from sslgraph.component import component, filled
from sslgraph.ranges import Count, Several

from .dino import UnitRows


@component(source="arXiv:2502.08769, section 3.2; facebookresearch/capi, model.py (L2NormLinear)", role="prototypes")
class Cosine(nn.Module):
    """score[k] = gain[k] * unit(features) . unit(weight[k])

    Both lengths are taken out in every forward, so no `after_step` is needed.

    Settings:
        out: rows, or classes.
        trained_gain: train gain, which starts at 1; else it stays 1 and scores are cosines.
        dim: width of the input; filled from what arrives.
    """

    def __init__(self, *, out: Several, trained_gain: bool = False, dim: Count | None = None) -> None:
        super().__init__()
        self.rows = UnitRows(filled(dim, "dim"), out, has_gain=trained_gain)
        nn.init.normal_(self.rows.weight, std=0.02)

    def forward(self, features: Float[Tensor, "*rows dim"]) -> Float[Tensor, "*rows out"]:
        return self.rows(normalize(features, dim=-1))  # type: ignore[no-any-return]
