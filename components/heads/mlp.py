"""Multi-layer perceptron: the projector or predictor between features and a loss, with each paper's BatchNorm rules."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component, filled
from sslgraph.ranges import Count, NotNegative


@component(
    source="arXiv:2002.05709, section 2.1, and the settings of each method's code, named in the docstring", rows="raw"
)
class MLP(nn.Module):
    """Hidden layers of linear, BatchNorm (or none), activation; then a linear layer and perhaps a last BatchNorm.

    The heads of the papers for a ResNet-50 (2048 features), given as settings:

        MoCo v2                   hidden: [2048], out: 128
        SimCLR                    hidden: [2048], out: 128, norm: batch, output_norm: batch_no_bias
        BYOL, both heads          hidden: [4096], out: 256, norm: batch, bias: first
        SwAV                      hidden: [2048], out: 128, norm: batch, bias: all
        SimSiam projector         hidden: [2048, 2048], out: 2048, norm: batch, output_norm: batch_no_affine
        SimSiam predictor         hidden: [512], out: 2048, norm: batch
        Barlow Twins              hidden: [8192, 8192], out: 8192, norm: batch, bias: none
        MoCo v3 projector         hidden: [4096], out: 256, norm: batch, output_norm: batch_no_affine
        MoCo v3 predictor         hidden: [4096], out: 256, norm: batch, bias: none

    SimSiam's code keeps a last bias that is never trained; the BatchNorm behind it takes it out again, so it is left
    out here. Rows of several axes ([batch, tokens, dim]) share their batch statistics.

    Settings:
        hidden: widths of the hidden layers; [] leaves one linear layer.
        out: width of the output.
        norm: BatchNorm in every hidden layer, or none.
        bias: auto, where no BatchNorm follows (there it would be void); all; none; first, the first linear layer only.
        output_norm: batch; batch_no_affine, without trained scale and shift; batch_no_bias, with scale only.
        activation: relu or gelu.
        std: deviation of the normal weights at the start, with biases of 0 (MSN 0.02); none for torch's own start.
        dim: width of the input; filled from what arrives.
    """

    def __init__(
        self,
        *,
        hidden: list[Count],
        out: Count,
        norm: Literal["none", "batch"] = "none",
        bias: Literal["auto", "all", "none", "first"] = "auto",
        output_norm: Literal["none", "batch", "batch_no_affine", "batch_no_bias"] = "none",
        activation: Literal["relu", "gelu"] = "relu",
        std: NotNegative | None = None,
        dim: Count | None = None,
    ) -> None:
        super().__init__()
        dim = filled(dim, "dim")
        self.layers = nn.Sequential()
        for number, width in enumerate([*hidden, out]):
            is_last = number == len(hidden)
            is_normed = output_norm != "none" if is_last else norm == "batch"
            has_bias = {"auto": not is_normed, "all": True, "none": False, "first": number == 0}[bias]
            self.layers.append(nn.Linear(dim, width, bias=has_bias))
            if is_normed:
                self.layers.append(_norm(width, output_norm if is_last else "batch"))
            if not is_last:
                self.layers.append(nn.ReLU(inplace=True) if activation == "relu" else nn.GELU())
            dim = width
        for layer in self.layers:
            if std is not None and isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, std=std)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    def forward(self, features: Float[Tensor, "*rows dim"]) -> Float[Tensor, "*rows out"]:
        if features.dim() == 2:
            return self.layers(features)  # type: ignore[no-any-return]
        return self.layers(features.flatten(0, -2)).unflatten(0, features.shape[:-1])  # type: ignore[no-any-return]


def _norm(width: int, kind: str) -> nn.BatchNorm1d:
    layer = nn.BatchNorm1d(width, affine=kind != "batch_no_affine")
    if kind == "batch_no_bias":
        layer.register_parameter("bias", None)
    return layer
