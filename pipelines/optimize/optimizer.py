"""Builds the optimizer of a recipe: backward for each player, clipping, the rates of the step, the update."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from sslgraph.collectives import mean_gradients
from sslgraph.errors import SslgraphError
from sslgraph.ranks import sharding
from sslgraph.schedules import Clock, Duration

from . import clip, groups, rates, settings
from .stepping import Stepping

Losses = Mapping[str, Tensor]


class Trained(Protocol):
    """What the optimizer asks of a compiled method."""

    freezes: dict[str, Duration]

    def player_losses(self, losses: Losses) -> list[tuple[Tensor, list[nn.Parameter]]]:
        """One (sum of losses, parameters it trains) for each player."""


class Optimizer:
    """Steps a compiled method by its losses.

    Learning rates are those of the recipe times the `lr_rule` of the global batch. Gradients are averaged over ranks
    (unless DDP does so: `averaged_elsewhere`), clipped, and only then used. What is frozen is dropped in between, by
    the compiled method itself.
    """

    def __init__(
        self, method: Any, recipe: Mapping[str, Any], *, batch: int, clock: Clock, averaged_elsewhere: bool = False,
        plugins: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        self.method: Trained = method
        self.clock = clock
        self.averaged_elsewhere = averaged_elsewhere
        self.settings = settings.read(recipe, plugins)
        self.rule = rates.rule(self.settings.lr_rule, batch=batch)
        self.clip = clip.clip(self.settings.clip)
        self.parameters = groups.named(method)
        self.groups = groups.resolve(self.parameters, self.settings)
        self.torch = Stepping(self.groups, self.settings.forms, plugins)
        self.watch: Callable[[Mapping[str, Tensor]], None] | None = None  # sees gradients before they are clipped
        self._by_net: dict[str, list[nn.Parameter]] = {}
        for p in self.parameters:
            self._by_net.setdefault(p.net, []).append(p.parameter)

    def step(self, losses: Losses, step: int) -> dict[str, float | Tensor]:
        """Backward and update of a batch that comes in one piece."""
        self.backward(losses)
        return self.update(step)

    def backward(self, losses: Losses, share: float = 1.0) -> None:
        """Adds `share` of the gradients; each player's losses reach that player's parameters only."""
        players = self.method.player_losses(losses)
        if len(players) == 1:
            (players[0][0] * share).backward()
            return
        for number, (total, parameters) in enumerate(players, 1):
            torch.autograd.backward(total * share, inputs=parameters, retain_graph=number < len(players))

    def update(self, step: int) -> dict[str, float | Tensor]:
        """Moves the parameters by the gathered gradients and forgets them; gives the rates and the gradient's norm."""
        everything = [p.parameter for p in self.parameters]
        if not self.averaged_elsewhere:
            # Ranks run the same graph, so they agree on which gradients there are; an absent one must stay absent.
            own = [p for p in everything if p.grad is not None and not sharding.is_shared(p)]
            mean_gradients(own)
            _lay_out(own)
        if self.watch is not None:
            self.watch({p.name: p.parameter.grad for p in self.parameters if p.parameter.grad is not None})
        lengths = clip.lengths(everything)
        norm = clip.together(lengths.values())
        if self.clip is not None:
            self.clip.shorten(self._by_net, lengths)
        measured = self._set_rates(step)
        self.torch.step()
        self.torch.zero_grad()
        return {**measured, "gradient_norm": norm}

    def forget(self, nets: Iterable[str]) -> None:
        """Drops what is remembered of nets whose weights were made anew: old momentum would pull them back."""
        fresh = set(nets)
        for p in self.parameters:
            if p.net in fresh:
                self.torch.remember(p.parameter, None)

    def table(self) -> str:
        """The resolved parameter groups, with what else is done to gradients."""
        lines = [str(self.clip)] if self.clip is not None else []
        for name, until in self.method.freezes.items():
            length = f"{rates.number(until.amount)} {until.unit}"
            lines.append(f"no gradient for {name.removeprefix('parts.')} during the first {length}")
        table = groups.table(self.groups, self.settings, self.rule)
        return "\n".join([table, *(f"  {line}" for line in lines)])

    def state_dict(self) -> dict[str, dict[str, Any]]:
        """What is remembered of each parameter, by its name: the order of parameters may change between versions."""
        return {p.name: state for p in self.parameters if (state := self.torch.state_of(p.parameter))}

    def load_state_dict(self, state: Mapping[str, Mapping[str, Any]]) -> None:
        """Takes back what `state_dict` gave; a parameter that this method lacks is refused."""
        known = {p.name: p.parameter for p in self.parameters}
        if strangers := sorted(set(state) - set(known)):
            raise SslgraphError(f"the saved optimizer remembers '{strangers[0]}', which this method does not train")
        for name, remembered in state.items():
            shape, is_ours = known[name].shape, self.torch.is_ours(known[name])
            for key, value in remembered.items():
                if is_ours and isinstance(value, Tensor) and value.dim() and value.shape != shape:
                    raise SslgraphError(
                        f"the saved optimizer remembers {key} of '{name}' with shape {tuple(value.shape)}, and the "
                        f"parameter has {tuple(shape)}; the checkpoint is of another method, or damaged"
                    )
            self.torch.remember(known[name], {key: _beside(known[name], value) for key, value in remembered.items()})

    def _set_rates(self, step: int) -> dict[str, float]:
        for group, target in zip(self.groups, self.torch.param_groups, strict=True):
            numbers = group.numbers
            target["lr"] = numbers.lr.at(step, self.clock) * numbers.times * self.rule.factor
            target["weight_decay"] = numbers.weight_decay.at(step, self.clock)
        recipe = self.settings.numbers
        lr = recipe.lr.at(step, self.clock) * self.rule.factor
        return {"lr": lr, "weight_decay": recipe.weight_decay.at(step, self.clock)}


def _beside(parameter: nn.Parameter, value: Any) -> Any:
    """A copy of what is remembered of a parameter, shared out and laid out in memory as it is."""
    if isinstance(value, Mapping):
        return {key: _beside(parameter, inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_beside(parameter, inner) for inner in value)
    if not isinstance(value, Tensor) or value.shape != parameter.shape:
        return value.to(parameter.device, copy=True) if isinstance(value, Tensor) else value
    own = torch.empty_like(parameter, dtype=value.dtype, requires_grad=False)
    sharding.mine(own).copy_(sharding.mine(sharding.cut_as(value, parameter)))
    return own


def _lay_out(parameters: list[nn.Parameter]) -> None:
    """Gives gradients the memory layout of their parameters: torch's fused Adam pairs them by place in memory."""
    for p in parameters:
        if p.grad is not None and p.grad.stride() != p.stride():
            p.grad = torch.empty_like(p).copy_(p.grad)
