"""A part with settings that the flow computes: they arrive beside its inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.func import functional_call

from sslgraph.wire.graph import Box


def with_numbers(part: nn.Module, box: Box) -> nn.Module:
    """The part as its box calls it."""
    return GivenNumbers(part, tuple(box.signature.inputs), box.numbers) if box.numbers else part


class GivenNumbers(nn.Module):
    """Calls a part with these settings as they arrive; a part reads such a setting under its own name in `forward`.

    `ports` are the inputs in the order of a call, the settings last.
    """

    def __init__(self, part: nn.Module, ports: Sequence[str], settings: Sequence[str]) -> None:
        super().__init__()
        self.part, self.ports, self.settings = part, tuple(ports), tuple(settings)
        for name in settings:
            if name == "weight":  # of a loss, which is multiplied by it
                continue
            if hasattr(part, name):
                delattr(part, name)
            part.register_buffer(name, torch.ones(()), persistent=False)

    def forward(self, *args: Any, **named: Any) -> Any:
        given = {**dict(zip(self.ports, args, strict=False)), **named}
        numbers = {name: given.pop(name) for name in self.settings}
        numbers = {name: value.reshape(()) if value.numel() == 1 else value for name, value in numbers.items()}
        times = numbers.pop("weight", None)
        found = functional_call(self.part, numbers, (), given)
        return found if times is None else found * times
