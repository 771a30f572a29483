"""Linear: one linear layer, a projection or a classifier."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component, filled
from sslgraph.ranges import Count, NotNegative


@component(source="definition", rows="raw")
class Linear(nn.Module):
    """features W + b, for rows of any number of axes.

    Settings:
        out: width of the output.
        bias: have b.
        std: deviation of the normal weights at the start, with b = 0 (DeepCluster 0.01); none for torch's own start.
        norm: of the features before it: over the batch, without weights (batch, the linear probe of MAE), or of each
            row, with weights (layer, its fine-tuning).
        dim: width of the input; filled from what arrives.
    """

    def __init__(
        self,
        *,
        out: Count,
        bias: bool = True,
        std: NotNegative | None = None,
        norm: Literal["none", "batch", "layer"] = "none",
        dim: Count | None = None,
    ) -> None:
        super().__init__()
        dim = filled(dim, "dim")
        self.std = std
        self.norm: nn.BatchNorm1d | nn.LayerNorm | None = None
        if norm != "none":
            self.norm = nn.BatchNorm1d(dim, affine=False, eps=1e-6) if norm == "batch" else nn.LayerNorm(dim, eps=1e-6)
        self.layer = nn.Linear(dim, out, bias=bias)
        self.reset()

    def forward(self, features: Float[Tensor, "*rows dim"]) -> Float[Tensor, "*rows out"]:
        if self.norm is not None:
            features = self.norm(features.flatten(0, -2)).view_as(features)
        return self.layer(features)  # type: ignore[no-any-return]

    def reset(self) -> None:
        """Fresh weights in place, from torch's generator: whoever calls it seeds that alike on all ranks."""
        self.layer.reset_parameters()
        if self.norm is not None:  # running statistics begin anew, too
            self.norm.reset_parameters()
        if self.std is not None:
            nn.init.normal_(self.layer.weight, std=self.std)
            if self.layer.bias is not None:
                nn.init.zeros_(self.layer.bias)
