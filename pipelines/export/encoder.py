"""The forms of an export: each fills a folder, and reports how far the reloaded features differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.compile.weights import Encoder as SelfSupervised
from sslgraph.errors import SslgraphError

from ..weights.plain_weights import plain_weights

WEIGHTS, CONFIG = "model.safetensors", "config.json"
NEAR = 1e-4  # how far the features that a library gives may be from ours, in parts of the largest


@dataclass(frozen=True)
class Encoder:
    """A run's encoder in eval mode, and what its nets take and give for two images.

    `images` is what the encoder takes: side in pixels, mean and std, and how they are resized before.
    """

    module: SelfSupervised
    export: str
    image: Float[Tensor, "two channels size size"]
    features: Float[Tensor, "two dim"]
    nets: Mapping[str, nn.Module]
    seen: Mapping[str, tuple[Tensor, Tensor]]  # by net: what it was given, and its first output
    images: Mapping[str, Any]


Form = Callable[[Encoder, Path], dict[str, Any]]


def encoder_of(module: SelfSupervised, export: str, images: Mapping[str, Any]) -> Encoder:
    """The encoder, run once on two images."""
    image = torch.rand(
        2, len(images["mean"]), images["size"], images["size"], generator=torch.Generator().manual_seed(0)
    )
    found = {name: getattr(net, "part", net) for name, net in module.net.named_children()}
    nets = {name: net for name, net in found.items() if any(True for _ in net.parameters())}
    seen: dict[str, tuple[Tensor, Tensor]] = {}

    def noted(name: str) -> Callable[..., None]:
        def note(_: nn.Module, given: tuple[Any, ...], named: dict[str, Any], made: Any) -> None:
            (first,) = [value for value in (*given, *named.values()) if isinstance(value, Tensor)][:1]
            seen.setdefault(name, (first, made if isinstance(made, Tensor) else made[0]))

        return note

    hooks = [net.register_forward_hook(noted(name), with_kwargs=True) for name, net in nets.items()]
    features = module(image)
    for hook in hooks:
        hook.remove()
    return Encoder(module, export, image, features, nets, seen, images)


def safetensors(encoder: Encoder, folder: Path) -> dict[str, Any]:
    """The weights by plain names; of several nets, behind the name of each."""
    from safetensors.torch import save_file

    weights = plain_weights(encoder.module)
    save_file({name: tensor.contiguous().clone() for name, tensor in weights.items()}, folder / WEIGHTS)
    return {}


def near(theirs: Tensor, ours: Tensor, who: str) -> float:
    """The largest difference of two features; SslgraphError if it is more than rounding."""
    found = (theirs - ours).abs().max().item() if theirs.shape == ours.shape else float("inf")
    if not found <= NEAR * max(1.0, ours.abs().max().item()):
        raise SslgraphError(f"{who} gives other features for the same weights (difference {found:.3g}): not exported")
    return found
