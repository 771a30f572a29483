"""DINO head: features become logits over many prototypes, through a narrow unit sphere."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear, normalize

from sslgraph.component import component, filled
from sslgraph.ranges import Count, Several


@component(source="arXiv:2104.14294, section 3.2 and appendix C", title="DINO head")
class DinoHead(nn.Module):
    """mlp to the bottleneck, unit length, then a linear layer whose rows have length `gain`.

        logits[k] = gain[k] * unit(mlp(features)) . unit(v[k])

    `last` is that layer: DINO keeps it fixed during the first epoch (`freeze: {last: 1 epoch}`).

    Settings:
        out: prototypes.
        hidden: width of the mlp.
        layers: linear layers of the mlp, the one to the bottleneck among them.
        bottleneck: width before the last layer.
        norm: BatchNorm in the mlp's hidden layers (for convolutional networks), or none.
        norm_last_layer: fix every gain to 1; otherwise it starts at 1 and is trained.
        dim: width of the input; filled from what arrives.
    """

    def __init__(
        self,
        *,
        out: Several = 65536,
        hidden: Count = 2048,
        layers: Count = 3,
        bottleneck: Count = 256,
        norm: Literal["none", "batch"] = "none",
        norm_last_layer: bool = True,
        dim: Count | None = None,
    ) -> None:
        super().__init__()
        dim = filled(dim, "dim")
        self.mlp = nn.Sequential()
        for _ in range(layers - 1):
            self.mlp.extend([nn.Linear(dim, hidden), *([nn.BatchNorm1d(hidden)] if norm == "batch" else []), nn.GELU()])
            dim = hidden
        self.mlp.append(nn.Linear(dim, bottleneck))
        self.last = UnitRows(bottleneck, out, has_gain=not norm_last_layer)
        for layer in self.mlp:
            if isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, std=0.02)  # theirs is truncated, at 100 deviations
                nn.init.zeros_(layer.bias)

    def forward(self, features: Float[Tensor, "*rows dim"]) -> Float[Tensor, "*rows out"]:
        rows = features if features.dim() == 2 else features.flatten(0, -2)
        logits = self.last(normalize(self.mlp(rows), dim=1))
        return logits if features.dim() == 2 else logits.unflatten(0, features.shape[:-1])  # type: ignore[no-any-return]


class UnitRows(nn.Module):
    """A linear layer without bias whose rows have unit length, or the length `gain`."""

    def __init__(self, dim: int, out: int, *, has_gain: bool) -> None:
        super().__init__()
        # The start of nn.Linear, as in the authors' code; its scale is divided out.
        self.weight = nn.Linear(dim, out, bias=False).weight
        self.gain = nn.Parameter(torch.ones(out, 1)) if has_gain else None

    def forward(self, rows: Float[Tensor, "rows dim"]) -> Float[Tensor, "rows out"]:
        weight = normalize(self.weight, dim=1)
        return linear(rows, weight if self.gain is None else weight * self.gain)
