"""Features of the inner layers of an encoder, by the names of its modules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.compile.weights import Encoder
from sslgraph.errors import SslgraphError, unknown
from sslgraph.views.views import ViewProgram

from ..feed.feed import Source
from ..measure.features import Features, extract


class Layers(nn.Module):
    """An encoder that gives what some of its modules give: means over places or tokens, side by side.

    A name is that of a module in an exported net, as `freeze:` names them: layer3, blocks.5. `widths` is known after a
    call.
    """

    def __init__(self, encoder: Encoder, names: Sequence[str]) -> None:
        super().__init__()
        self.encoder, self.names = encoder, tuple(names)
        self.found = {name: _module(encoder, name) for name in names}
        self.widths: list[int] = []

    def forward(self, image: Tensor) -> Float[Tensor, "batch widths"]:
        given: dict[str, Tensor] = {}
        hooks = [
            module.register_forward_hook(lambda _module, _inputs, out, name=name: given.update({name: _rows(out)}))
            for name, module in self.found.items()
        ]
        try:
            self.encoder(image)
        finally:
            for hook in hooks:
                hook.remove()
        rows = [given[name].float() for name in self.names]
        self.widths = [row.shape[1] for row in rows]
        return torch.cat(rows, 1)


def of_layers(
    encoder: Encoder, names: Sequence[str], sources: Sequence[Source], view: ViewProgram, *, device: torch.device
) -> Mapping[str, tuple[Features, ...]]:
    """The features of each layer for each source."""
    if not names:
        return {}
    layers = Layers(encoder, names)
    whole = [extract(layers, source, view, device=device, channels_last=True) for source in sources]
    return parted(names, whole, layers.widths)


def parted(
    names: Sequence[str], whole: Sequence[Features], widths: Sequence[int]
) -> Mapping[str, tuple[Features, ...]]:
    """Layers side by side, each for itself."""
    split = [some.values.split(list(widths), 1) for some in whole]
    return {
        name: tuple(
            Features(parts[i], some.index, some.labels, some.classes) for some, parts in zip(whole, split, strict=True)
        )
        for i, name in enumerate(names)
    }


def _module(encoder: Encoder, name: str) -> nn.Module:
    for net in encoder.nets:
        try:
            return encoder.net.get_submodule(f"{net}.{name}")
        except AttributeError:
            continue
    there = [inner for net in encoder.nets for inner, _ in encoder.net.get_submodule(net).named_children()]
    raise SslgraphError(str(unknown((), "the encoder has no layer", name, there)))


def _rows(out: Any) -> Float[Tensor, "batch width"]:
    value = next((one for one in out if isinstance(one, Tensor)), None) if isinstance(out, tuple) else out
    if not isinstance(value, Tensor) or value.ndim < 2:
        raise SslgraphError("a layer gives no features of an image; name another")
    return value.flatten(2).mean(2) if value.ndim == 4 else value.mean(1) if value.ndim == 3 else value
