"""Four optimizers that papers call LARS: each has its own name here, because they do not train alike."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from sslgraph.ranks import sharding
from sslgraph.torch_compat import foreach_add, foreach_add_, foreach_mul, foreach_mul_, foreach_sub_

Tensors = list[Tensor]
Norms = Callable[[Tensors], Tensor]  # of each whole tensor, where slices of them are given


class Lars(torch.optim.Optimizer):
    """Momentum whose step is scaled for each parameter by |w| / |u|.

    With g the gradient, w the parameter, m the momentum buffer (0 at first), eta the group's `trust`:

        lars_tf      u = g + wd w;  m = mu m + lr eta |w|/|u| u;        w -= m        (SimCLR: lr inside the momentum)
        lars_out     u = g + wd w;  m = mu m + eta |w|/|u| u;           w -= lr m     (MoCo v3, BYOL, Barlow Twins)
        larc_apex    r = eta |w| / (|g| + wd |w| + 1e-8);  m = mu m + r (g + wd w);  w -= lr m               (SwAV)
        lars_solo    as larc_apex, with r = min(r / lr, 1) if clip_lr                                  (solo-learn)

    The first two agree only while lr is constant. Where |w| or the other norm is 0 the scale is 1, and the last two
    add no weight decay either. A group whose `trust` is None takes plain steps with its weight decay: scale 1.
    A parameter without gradient is left alone: no decay, no momentum.

    Source: arXiv:1708.03888; for the variants the published code of the methods named.
    """

    def __init__(self, groups: list[dict[str, Any]], *, variant: str) -> None:
        super().__init__(groups, {"lr": 0.0, "weight_decay": 0.0, "momentum": 0.0, "trust": None, "nesterov": False})
        self.update = VARIANTS[variant]

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """Moves every parameter that has a gradient."""
        for group in self.param_groups:
            weights = [p for p in group["params"] if p.grad is not None]
            if not weights:
                continue
            shared = [sharding.is_shared(p) for p in weights]
            slices = [sharding.mine(p) for p in weights]
            gradients = [sharding.mine(p.grad) for p in weights]
            momenta = [sharding.mine(self._momentum(p)) for p in weights]
            self.update(slices, gradients, momenta, group, partial(sharding.norms, shared=shared))

    def _momentum(self, weight: Tensor) -> Tensor:
        state = self.state[weight]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(weight)
        return state["momentum_buffer"]  # type: ignore[no-any-return]


def lars_tf(weights: Tensors, gradients: Tensors, momenta: Tensors, group: dict[str, Any], norms: Norms) -> None:
    """The rate is inside the momentum: after the rate drops, old steps continue at the old rate."""
    updates = _scaled_by_update_norm(weights, gradients, group, norms)
    foreach_mul_(momenta, group["momentum"])
    foreach_add_(momenta, updates, alpha=group["lr"])
    foreach_sub_(weights, momenta)


def lars_out(weights: Tensors, gradients: Tensors, momenta: Tensors, group: dict[str, Any], norms: Norms) -> None:
    """The rate is outside the momentum: after the rate drops, the whole step shrinks."""
    _descend(weights, _scaled_by_update_norm(weights, gradients, group, norms), momenta, group)


def larc(weights: Tensors, gradients: Tensors, momenta: Tensors, group: dict[str, Any], norms: Norms) -> None:
    """The scale is a function of gradient and decay separately; then an ordinary momentum step."""
    if group["trust"] is None:
        _descend(weights, _decayed(weights, gradients, group), momenta, group)
        return
    decay = group["weight_decay"]
    weight_norms, gradient_norms = norms(weights), norms(gradients)
    scales = group["trust"] * weight_norms / (gradient_norms + decay * weight_norms + 1e-8)
    if group.get("clip_lr"):
        scales = (scales / group["lr"]).clamp(max=1.0) if group["lr"] > 0 else torch.ones_like(scales)
    moved = (weight_norms > 0) & (gradient_norms > 0)
    updates = list(foreach_mul(weights, _each(moved * decay)))
    foreach_add_(updates, gradients)
    foreach_mul_(updates, _each(torch.where(moved, scales, 1.0)))
    _descend(weights, updates, momenta, group)


VARIANTS: dict[str, Callable[[Tensors, Tensors, Tensors, dict[str, Any], Norms], None]] = {
    "lars_tf": lars_tf,
    "lars_out": lars_out,
    "larc_apex": larc,
    "lars_solo": larc,
}


def _descend(weights: Tensors, updates: Tensors, momenta: Tensors, group: dict[str, Any]) -> None:
    foreach_mul_(momenta, group["momentum"])
    foreach_add_(momenta, updates)
    if group["nesterov"]:
        foreach_add_(updates, momenta, alpha=group["momentum"])
        momenta = updates
    foreach_add_(weights, momenta, alpha=-group["lr"])


def _scaled_by_update_norm(weights: Tensors, gradients: Tensors, group: dict[str, Any], norms: Norms) -> Tensors:
    updates = _decayed(weights, gradients, group)
    if group["trust"] is not None:
        weight_norms, update_norms = norms(weights), norms(updates)
        moved = (weight_norms > 0) & (update_norms > 0)
        scales = torch.where(moved, group["trust"] * weight_norms / update_norms, 1.0)
        foreach_mul_(updates, _each(scales))
    return updates


def _decayed(weights: Tensors, gradients: Tensors, group: dict[str, Any]) -> Tensors:
    return list(foreach_add(gradients, weights, alpha=group["weight_decay"]))


def _each(values: Tensor) -> Tensors:
    return list(values.unbind())
