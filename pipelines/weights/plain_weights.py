"""The weights of an encoder by the names of timm and torchvision."""

from __future__ import annotations

from torch import Tensor

from sslgraph.compile.weights import Encoder

from .layouts import plain_name


def plain_weights(encoder: Encoder) -> dict[str, Tensor]:
    """The state of the exported net, which the same network of timm or torchvision loads strictly.

    Of several nets each name stands behind that of its net.
    """
    found = {name: getattr(net, "part", net) for name, net in encoder.net.named_children()}
    nets = {name: net for name, net in found.items() if any(True for _ in net.parameters())}
    return {
        plain_name(name) if len(nets) == 1 else f"{net}.{plain_name(name)}": tensor
        for net, module in nets.items()
        for name, tensor in module.state_dict().items()
    }
