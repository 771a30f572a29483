"""Steps several torch optimizers as one: a group may name another optimizer for its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from sslgraph.errors import SslgraphError

from . import own
from .groups import Group
from .lars import VARIANTS, Lars
from .optimizer_form import Form

IN_GROUP = "group."  # begins the names of what an own optimizer remembers of a whole group


class Stepping:
    """One optimizer for each `use` among the groups; `param_groups` are in the order of the groups.

    An own optimizer gets its settings as its constructor takes them, so groups with other settings have one each.
    """

    def __init__(self, groups: Sequence[Group], forms: Mapping[str, Form], plugins: tuple[str, ...] = ()) -> None:
        self._forms = forms
        keys = [(use := g.numbers.use, g.numbers.own if forms[use].signature else ()) for g in groups]
        self._all = {
            key: _made(forms[key[0]], [g for other, g in zip(keys, groups, strict=True) if other == key], plugins)
            for key in dict.fromkeys(keys)
        }
        rest = {key: iter(made.param_groups) for key, made in self._all.items()}
        self.param_groups: list[dict[str, Any]] = [next(rest[key]) for key in keys]
        self._of = {p.parameter: self._all[key] for key, g in zip(keys, groups, strict=True) for p in g.members}
        members = zip(self.param_groups, keys, groups, strict=True)
        self._kept_in = {  # of an own optimizer's parameters
            p.parameter: (group, forms[use]) for group, (use, _), g in members if forms[use].signature
            for p in g.members
        }  # fmt: skip

    def is_ours(self, parameter: nn.Parameter) -> bool:
        """Whether a shipped optimizer steps it: what that remembers has the parameter's shape."""
        return parameter not in self._kept_in

    def state_of(self, parameter: nn.Parameter) -> dict[str, Any]:
        """What is remembered of a parameter, and of its group; nothing before its first step."""
        made = self._of[parameter]
        if strange := [key for key in made.state if not isinstance(key, Tensor)]:
            name = type(made).__name__
            raise SslgraphError(
                f"{name} remembers '{strange[0]}', which belongs to no parameter, so that no run could go on from a "
                "checkpoint; keep it in self.state[parameter] or in param_groups"
            )
        if parameter not in made.state:
            return {}
        group, form = self._kept_in.get(parameter, ({}, None))
        kept = own.remembered(group, form) if form else {}
        return {**made.state[parameter], **{f"{IN_GROUP}{key}": value for key, value in kept.items()}}

    def remember(self, parameter: nn.Parameter, remembered: dict[str, Any] | None) -> None:
        """Puts in what is remembered of a parameter and its group; None forgets the parameter."""
        state = self._of[parameter].state
        state.pop(parameter, None)
        if remembered is None:
            return
        of_group = {key for key in remembered if key.startswith(IN_GROUP)}
        state[parameter] = {key: value for key, value in remembered.items() if key not in of_group}
        for key in of_group:
            self._kept_in[parameter][0][key.removeprefix(IN_GROUP)] = remembered[key]

    def step(self) -> None:
        """Moves every parameter that has a gradient."""
        for (use, _), made in self._all.items():
            if self._forms[use].signature is None:
                made.step()
            else:
                own.step(self._forms[use], made)

    def zero_grad(self) -> None:
        """Drops all gradients."""
        for made in self._all.values():
            made.zero_grad(set_to_none=True)


def _made(form: Form, groups: Sequence[Group], plugins: tuple[str, ...]) -> torch.optim.Optimizer:
    if form.signature is not None:
        return own.made(form, groups, plugins)
    use, wanted = form.use, [{"params": [p.parameter for p in g.members], **dict(g.numbers.own)} for g in groups]
    if use in VARIANTS:
        return Lars(wanted, variant=use)
    if use == "sgd":
        # Not fused: torch 2.15's fused SGD fails where one parameter of a group has momentum and another none yet.
        return torch.optim.SGD(wanted, lr=0.0, foreach=True)
    return (torch.optim.Adam if use == "adam" else torch.optim.AdamW)(wanted, lr=0.0, fused=True)
