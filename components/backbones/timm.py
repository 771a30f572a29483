"""Any network of the timm library, by its name there."""

import difflib
from contextlib import suppress
from typing import Any, NamedTuple

import timm
import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component, filled
from sslgraph.ranges import Count, LessThanOne


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
    Vision transformers take images of several sizes (timm's dynamic_img_size) that their patches divide. A few others
    fix the side of the image when they are built.

    Settings:
        name: the architecture, such as resnet18 or convnext_tiny; with a tag, such as resnet18.a1_in1k, its weights.
        drop_path: rate of stochastic depth in the last block, for architectures that have it.
        pretrained: start from the published weights, which timm downloads.
        channels: of the image; filled from what arrives.
        size: side of the image in pixels; filled from what arrives.
    """

    def __init__(
        self,
        *,
        name: str,
        pretrained: bool = False,
        drop_path: LessThanOne = 0.0,
        channels: Count | None = None,
        size: Count | None = None,
    ) -> None:
        super().__init__()
        channels = filled(channels, "channels")
        size = filled(size, "size")
        if not timm.is_model(name):
            raise ValueError(f"timm has no architecture '{name}'; {_nearest(name)}")
        # On the meta device only shapes are asked for: nothing is downloaded.
        loads = pretrained and torch.get_default_device().type != "meta"
        self.net: Any = _made(name, size, drop_path, pretrained=loads, num_classes=0, in_chans=channels)
        found = timm.get_pretrained_cfg(name, allow_unregistered=True)
        is_fixed = found is not None and found.fixed_input_size
        self.name, self.settings = name, {"in_chans": channels} | ({"img_size": size} if is_fixed else {})
        _refuse_rest(self.net, size)
        self.channels_last = getattr(self.net, "output_fmt", "NCHW") == "NHWC"

    @property
    def twins(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """timm's own model."""
        return {"timm": (self.name, self.settings)}

    def forward(self, image: Float[Tensor, "batch channels size size"]) -> Features:
        features = self.net.forward_features(image)
        pooled = self.net.forward_head(features)
        return Features(pooled, features.permute(0, 3, 1, 2) if self.channels_last else features)


def _made(name: str, size: int, drop_path: float, **settings: Any) -> nn.Module:
    """timm's model, with what it takes of the two numbers."""
    settings |= {"drop_path_rate": drop_path} if drop_path else {}
    found = timm.get_pretrained_cfg(name, allow_unregistered=True)
    if found is not None and found.fixed_input_size:
        settings["img_size"] = size
        with suppress(TypeError):  # not every transformer of timm takes other sizes
            return timm.create_model(name, dynamic_img_size=True, **settings)  # type: ignore[no-any-return]
    try:
        return timm.create_model(name, **settings)  # type: ignore[no-any-return]
    except TypeError as wrong:
        if "drop_path_rate" in str(wrong):
            raise ValueError(f"timm's {name} has no stochastic depth; leave drop_path out") from wrong
        raise


def _refuse_rest(net: Any, size: int) -> None:
    """Refuses an image whose last pixels no patch would see."""
    patch = getattr(getattr(net, "patch_embed", None), "patch_size", None)
    side = patch[0] if isinstance(patch, tuple) else patch
    if isinstance(side, int) and size % side:
        lower = size - size % side
        raise ValueError(
            f"patches of {side} pixels leave {size % side} of {size} pixels unseen; "
            f"make the view {lower or side} or {lower + side} pixels wide"
        )


def _nearest(name: str) -> str:
    close = difflib.get_close_matches(name.split(".")[0], timm.list_models(), n=3)
    return f"the nearest names are: {', '.join(close)}" if close else "timm.list_models() lists what there is"
