"""Weights that `freeze: 1 epoch` holds still: every optimizer of torch leaves them alone until their time is over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from torch import nn
from torch.optim.optimizer import Optimizer, register_optimizer_step_pre_hook

from sslgraph.schedules import Clock, Duration

# What each method holds still in the step that it has begun: names of modules and weights.
_held: WeakKeyDictionary[nn.Module, tuple[str, ...]] = WeakKeyDictionary()
_is_hooked = False


def hold(method: nn.Module, freezes: Mapping[str, Duration], step: int, clock: Clock) -> None:
    """Until `release`, an optimizer finds no gradient at what is frozen at this step.

    A weight without gradient neither decays nor moves by momentum, and its optimizer remembers nothing of it. The
    gradient is dropped where the optimizer begins its step, and no earlier: DDP and FSDP wait for every gradient, and
    papers that clip measure this one, too.
    """
    global _is_hooked
    release(method)
    if frozen := tuple(name for name, until in freezes.items() if step < until.steps(clock)):
        _held[method] = frozen
        if not _is_hooked:
            register_optimizer_step_pre_hook(_drop)
            _is_hooked = True


def release(method: nn.Module) -> None:
    """Ends what `hold` began."""
    _held.pop(method, None)


def _drop(optimizer: Optimizer, _arguments: Any, _named: Any) -> None:
    """Comes before each step of every optimizer of torch. FSDP changes a method's parameters: their names stay."""
    for method, frozen in list(_held.items()):
        inside = tuple(f"{name}." for name in frozen)
        still = {p for name, p in method.named_parameters() if name in frozen or name.startswith(inside)}
        for parameter in (p for group in optimizer.param_groups for p in group["params"]):
            if parameter in still:
                parameter.grad = None
