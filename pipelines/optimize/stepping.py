"""Steps several torch optimizers as one: a group may name another optimizer for its parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from .groups import Group
from .lars import VARIANTS, Lars


class Stepping:
    """One optimizer for each `use` among the groups; `param_groups` are in the order of the groups."""

    def __init__(self, groups: Sequence[Group]) -> None:
        wanted = [{"params": [p.parameter for p in g.members], **dict(g.numbers.own)} for g in groups]
        uses = [group.numbers.use for group in groups]
        self._all = {
            use: _torch_optimizer(use, [settings for other, settings in zip(uses, wanted, strict=True) if other == use])
            for use in dict.fromkeys(uses)
        }
        rest = {use: iter(made.param_groups) for use, made in self._all.items()}
        self.param_groups: list[dict[str, Any]] = [next(rest[use]) for use in uses]
        self._of = {p.parameter: self._all[group.numbers.use] for group in groups for p in group.members}

    def state_of(self, parameter: nn.Parameter) -> dict[str, Any]:
        """What is remembered of a parameter; nothing before its first step."""
        state = self._of[parameter].state
        return dict(state[parameter]) if parameter in state else {}

    def remember(self, parameter: nn.Parameter, remembered: dict[str, Any] | None) -> None:
        """Puts in what is remembered of a parameter; None forgets it."""
        state = self._of[parameter].state
        state.pop(parameter, None)
        if remembered is not None:
            state[parameter] = remembered

    def step(self) -> None:
        """Moves every parameter that has a gradient."""
        for made in self._all.values():
            made.step()

    def zero_grad(self) -> None:
        """Drops all gradients."""
        for made in self._all.values():
            made.zero_grad(set_to_none=True)


def _torch_optimizer(use: str, wanted: list[dict[str, Any]]) -> torch.optim.Optimizer:
    if use in VARIANTS:
        return Lars(wanted, variant=use)
    if use == "sgd":
        # Not fused: torch 2.15's fused SGD fails where one parameter of a group has momentum and another none yet.
        return torch.optim.SGD(wanted, lr=0.0, foreach=True)
    return (torch.optim.Adam if use == "adam" else torch.optim.AdamW)(wanted, lr=0.0, fused=True)
