"""Gradients that are too long are shortened: all together, each net by itself, or each parameter by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sslgraph.errors import SpecError, SslgraphError, unknown

PER = ("all", "net", "parameter")


@dataclass(frozen=True)
class Clip:
    """A longest norm, and whose: `all` (BEiT), `net` (DINOv2) or `parameter` (DINO)."""

    norm: float
    per: str

    def shorten(self, parameters: Mapping[str, list[nn.Parameter]], total: Tensor) -> None:
        """Shortens in place what is longer than the norm; `parameters` by net, `total` the norm of all of them."""
        if self.per == "all":
            _scale([p for group in parameters.values() for p in group], total, self.norm)
            return
        for group in parameters.values():
            for some in [group] if self.per == "net" else [[p] for p in group]:
                _scale(some, norm_of(some), self.norm)

    def __str__(self) -> str:
        return f"gradients clipped at norm {self.norm:g}, {self.per} {'together' if self.per == 'all' else 'by itself'}"


def clip(settings: Any) -> Clip | None:
    """Reads `clip: {norm: 3.0, per: parameter}`."""
    if settings is None:
        return None
    if not isinstance(settings, Mapping) or "norm" not in settings:
        raise SslgraphError(f"clip: {settings!r} names no norm; write for example clip: {{norm: 3.0, per: all}}")
    for key in settings:
        if key not in ("norm", "per"):
            raise SpecError([unknown(None, "clip has", str(key), ("norm", "per"))])
    per = settings.get("per", "all")
    if per not in PER or not float(settings["norm"]) > 0:
        raise SslgraphError(f"clip: {dict(settings)} needs a norm above 0 and per: one of {', '.join(PER)}")
    return Clip(float(settings["norm"]), per)


def norm_of(parameters: list[nn.Parameter]) -> Tensor:
    """The norm of the gradients of these parameters together, left on their device."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    return torch.nn.utils.get_total_norm(gradients)


def _scale(parameters: list[nn.Parameter], total: Tensor, longest: float) -> None:
    torch.nn.utils.clip_grads_with_norm_(parameters, longest, total)
