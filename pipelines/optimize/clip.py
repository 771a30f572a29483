"""Shortens gradients that are too long: all together, each net alone, or each parameter alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sslgraph.ranks import sharding
from sslgraph.torch_compat import foreach_mul_

Lengths = Mapping[nn.Parameter, Tensor]


@dataclass(frozen=True)
class Clip:
    """A longest norm, and whose: `all` (BEiT), `net` (DINOv2) or `parameter` (DINO)."""

    norm: float
    per: str

    def shorten(self, parameters: Mapping[str, list[nn.Parameter]], lengths: Lengths) -> None:
        """Shortens in place what is longer than the norm; `parameters` by net, with the length of each gradient."""
        nets = [[p for p in group if p in lengths] for group in parameters.values()]
        if self.per == "all":
            nets = [[p for net in nets for p in net]]
        for some in nets:
            if not some:
                continue
            if self.per == "parameter":
                _scale(some, torch.stack([lengths[p] for p in some]), self.norm)
            else:
                _scale(some, together([lengths[p] for p in some]).expand(len(some)), self.norm)

    def __str__(self) -> str:
        return f"gradients clipped at norm {self.norm:g}, {self.per} {'together' if self.per == 'all' else 'by itself'}"


def clip(settings: Mapping[str, Any] | None) -> Clip | None:
    """The `clip: {norm: 3.0, per: parameter}` of an optimizer, as `settings.read` left it."""
    return None if settings is None else Clip(float(settings["norm"]), settings.get("per", "all"))


def lengths(parameters: list[nn.Parameter]) -> Lengths:
    """The norm of each parameter's gradient, if it has one, left on its device."""
    there = [p for p in parameters if p.grad is not None]
    return dict(zip(there, sharding.norms([p.grad for p in there if p.grad is not None]), strict=True))


def together(lengths: Iterable[Tensor]) -> Tensor:
    """The norm of several gradients as one."""
    each = list(lengths)
    return torch.linalg.vector_norm(torch.stack(each)) if each else torch.tensor(0.0)


def _scale(parameters: list[nn.Parameter], lengths: Tensor, longest: float) -> None:
    factors = (longest / (lengths + 1e-6)).clamp(max=1.0)  # the small number is torch's
    foreach_mul_([sharding.mine(p.grad) for p in parameters if p.grad is not None], list(factors.unbind()))
