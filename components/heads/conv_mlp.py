"""Convolutional MLP: the same small perceptron at every place of a map (PixPro, DenseCL)."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component, filled
from sslgraph.ranges import Count


@component(source="arXiv:2011.10043, section 4.1; arXiv:2011.09157, section 3.2, without BatchNorm", title="conv MLP")
class ConvMLP(nn.Module):
    """1 x 1 convolution, BatchNorm, ReLU, 1 x 1 convolution; both convolutions have a bias, as in the authors' code.

    Settings:
        hidden: channels between the two (PixPro 4096, DenseCL 2048).
        out: channels of the output.
        norm: BatchNorm between them, or none (DenseCL).
        dim: channels of the input; filled from what arrives.
    """

    def __init__(
        self,
        *,
        hidden: Count = 4096,
        out: Count = 256,
        norm: Literal["batch", "none"] = "batch",
        dim: Count | None = None,
    ) -> None:
        super().__init__()
        dim = filled(dim, "dim")
        self.layers = nn.Sequential(
            nn.Conv2d(dim, hidden, 1),
            *([nn.BatchNorm2d(hidden)] if norm == "batch" else []),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, out, 1),
        )

    def forward(self, map: Float[Tensor, "batch dim rows columns"]) -> Float[Tensor, "batch out rows columns"]:
        return self.layers(map)  # type: ignore[no-any-return]
