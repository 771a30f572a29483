"""Makes an optimizer from outside the catalogue: built as its constructor says, stepped as all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from sslgraph.errors import SslgraphError, line_of, refusal
from sslgraph.parts import registry
from sslgraph.parts.arguments import constructed

from .groups import Group
from .optimizer_form import RATES, Form

BY_SHAPE = "parameters that it can't take get another optimizer by a group, such as {ndim: 1, use: adamw}"


def made(form: Form, groups: Sequence[Group], plugins: tuple[str, ...]) -> torch.optim.Optimizer:
    """The optimizer of these groups, which differ in their rates alone; SpecError where it can't be used."""
    use, kind = form.use, registry.load_class(form.use, plugins)
    if not issubclass(kind, torch.optim.Optimizer):
        raise refusal(("use",), f"'{use}' is no torch.optim.Optimizer", "derive it from torch.optim.Optimizer")
    if callable(getattr(kind, "train", None)) and callable(getattr(kind, "eval", None)):
        problem = f"'{use}' has weights for training and others for evaluation (train and eval)"
        raise refusal(("use",), problem, "training keeps one set of weights: choose an optimizer with one")
    told = {name: _as_taken(form, name, value) for name, value in groups[0].numbers.own}
    wanted = [{"params": [p.parameter for p in group.members], **_rates(group, form)} for group in groups]
    try:
        # A number above 0 as the rate of the constructor: many assert it. Each step writes the rates of the schedule.
        optimizer: torch.optim.Optimizer = kind(wanted, **_rates(groups[0], form), **told)
    except Exception as wrong:
        problem = f"'{use}' can't be made of these settings and parameters: {type(wrong).__name__}: {wrong}"
        raise refusal(("use",), problem, BY_SHAPE) from wrong
    _refuse_other_groups(form, groups, optimizer)
    return optimizer


def step(form: Form, optimizer: torch.optim.Optimizer) -> None:
    """Moves its parameters; what goes wrong in its code is said with the line. Memory that runs out is no mistake."""
    try:
        optimizer.step()
    except torch.OutOfMemoryError:
        raise
    except Exception as wrong:
        file = form.signature.file if form.signature else ""
        line = line_of(wrong, file)
        at = f" (line {line} of {file})" if line else ""
        said = f"{type(wrong).__name__}: {str(wrong).strip().partition(chr(10))[0]}"
        raise SslgraphError(f"'{form.use}'{at} failed in its step: {said}") from wrong


def remembered(group: Mapping[str, Any], form: Form) -> dict[str, Any]:
    """What an optimizer has written into one of its groups besides its settings: a count of steps, an estimate."""
    known = {"params", *RATES, *form.names}
    return {key: value for key, value in group.items() if key not in known and isinstance(value, Tensor | int | float)}


def _rates(group: Group, form: Form) -> dict[str, float]:
    numbers = group.numbers
    highest = max(numbers.lr.every_value) * numbers.times
    return {"lr": highest or 1.0, **({"weight_decay": numbers.weight_decay.first} if form.decays else {})}


def _refuse_other_groups(form: Form, groups: Sequence[Group], optimizer: torch.optim.Optimizer) -> None:
    """Refuses an optimizer whose groups are not those that it was given, or that does not read its rates there."""
    there = [{id(p) for p in group["params"]} for group in optimizer.param_groups]
    if there != [{id(p.parameter) for p in group.members} for group in groups]:
        problem = f"'{form.use}' makes groups of its own, and training writes the rates of the groups it has given"
        raise refusal(("use",), problem, "derive a class that leaves param_groups as they are")
    for rate in ("lr", *(["weight_decay"] if form.decays else [])):
        if rate not in optimizer.defaults:
            problem = f"'{form.use}' does not read '{rate}' from its groups, where training writes that of each step"
            raise refusal(("use",), problem, f"give it to super().__init__ among its defaults: {{'{rate}': {rate}}}")


def _as_taken(form: Form, name: str, value: Any) -> Any:
    """A setting as the constructor takes it; several numbers are a tuple, as in torch, if it does not say a list."""
    setting = form.signature.settings[name] if form.signature else None
    if setting is None:
        return value
    found = constructed(setting, _listed(value))
    return value if isinstance(found, list) and "list" not in setting.annotation.lower() else found


def _listed(value: Any) -> Any:
    return [_listed(inner) for inner in value] if isinstance(value, tuple) else value
