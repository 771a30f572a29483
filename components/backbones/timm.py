"""Any network of the timm library, by its name there."""

import difflib
from typing import Any, NamedTuple

import timm
import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component, filled
from sslgraph.ranges import Count


class Features(NamedTuple):
    """The pooled features, and what was pooled."""

    pooled: Float[Tensor, "batch dim"]
    features: Float[Tensor, "batch *shape"]


@component(
    source="https://github.com/huggingface/pytorch-image-models; the papers stand on the pages of its models",
    role="encoder",
)
class Timm(nn.Module):
    """A network of timm without its classifier.

    `features` is [batch, dim, rows, columns] for networks with maps and [batch, tokens, dim] for those with tokens.
    Architectures that fix the side of the image when they are built take one resolution only; backbones.vit takes any.

    Settings:
        name: the architecture, such as resnet18 or convnext_tiny; with a tag, such as resnet18.a1_in1k, its weights.
        pretrained: start from the published weights, which timm downloads.
        channels: of the image; filled from what arrives.
        size: side of the image in pixels; filled from what arrives.
    """

    def __init__(
        self, *, name: str, pretrained: bool = False, channels: Count | None = None, size: Count | None = None
    ) -> None:
        super().__init__()
        channels = filled(channels, "channels")
        size = filled(size, "size")
        if not timm.is_model(name):
            raise ValueError(f"timm has no architecture '{name}'; {_nearest(name)}")
        # On the meta device only shapes are asked for: nothing is downloaded.
        loads = pretrained and torch.get_default_device().type != "meta"
        fixed = _fixed_size(name, size)
        self.net = timm.create_model(name, pretrained=loads, num_classes=0, in_chans=channels, **fixed)
        self.channels_last = getattr(self.net, "output_fmt", "NCHW") == "NHWC"

    def forward(self, image: Float[Tensor, "batch channels size size"]) -> Features:
        features = self.net.forward_features(image)
        pooled = self.net.forward_head(features)
        return Features(pooled, features.permute(0, 3, 1, 2) if self.channels_last else features)


def _fixed_size(name: str, size: int) -> dict[str, Any]:
    fixed = timm.get_pretrained_cfg(name, allow_unregistered=True)
    return {"img_size": size} if fixed is not None and fixed.fixed_input_size else {}


def _nearest(name: str) -> str:
    close = difflib.get_close_matches(name.split(".")[0], timm.list_models(), n=3)
    return f"the nearest names are: {', '.join(close)}" if close else "timm.list_models() lists what there is"
