"""What an optimizer is told besides its rates: the shipped ones by tables, own ones by their constructors' signatures.

Imports no torch, except by an own optimizer whose text leaves its settings open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sslgraph.errors import SpecError, refusal, unknown
from sslgraph.parts import kinds, registry
from sslgraph.parts.signature import Setting, Signature

# The settings of each optimizer besides its rates; None must be given in the recipe, because papers differ.
SHIPPED: dict[str, dict[str, Any]] = {
    "sgd": {"momentum": None, "nesterov": False},
    "adam": {"betas": (0.9, 0.999), "eps": 1e-8},
    "adamw": {"betas": (0.9, 0.999), "eps": 1e-8},
    "lars_tf": {"momentum": None, "trust": None},
    "lars_out": {"momentum": None, "trust": None},
    "larc_apex": {"momentum": None, "trust": None, "nesterov": False},
    "lars_solo": {"momentum": None, "trust": None, "nesterov": False, "clip_lr": None},
}
# What each number may be, as an annotation of sslgraph.ranges.
RATES = {"lr": "NotNegativeScalar", "weight_decay": "NotNegativeScalar"}
KINDS = {
    **RATES, "momentum": "LessThanOne", "nesterov": "bool", "betas": "tuple[LessThanOne, LessThanOne]",
    "eps": "Positive", "trust": "Positive", "clip_lr": "bool",
}  # fmt: skip
EXAMPLES = {"lr": "0.03", "momentum": "0.9", "weight_decay": "1e-4", "trust": "1e-3", "clip_lr": "true"}
OWN = "an optimizer of your own is written my_package.my_module:MyOptimizer, one of torch torch.optim:RMSprop"


@dataclass(frozen=True)
class Form:
    """An optimizer by the name that recipes give it, with its settings besides the rates."""

    use: str
    defaults: Mapping[str, Any]  # what it is told where a recipe says nothing; None must be written
    signature: Signature | None = None  # of an own one, without its parameters and its rates
    decay: Any = None  # the weight decay that need not be written; None where it must be
    decays: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """The settings besides the rates."""
        return tuple(self.signature.settings if self.signature else self.defaults)

    @property
    def missing(self) -> tuple[str, ...]:
        """The settings that must be written."""
        if self.signature is not None:
            return tuple(name for name, setting in self.signature.settings.items() if setting.is_required)
        return tuple(name for name, value in self.defaults.items() if value is None)

    def problem(self, name: str, value: Any) -> str:
        """What is wrong with the value of a setting, as a message says it behind the name; empty if nothing is."""
        if self.signature is None:
            return kinds.problem(KINDS[name], value)
        found = kinds.problem(self.signature.settings[name].annotation, value)
        return found or ("is a mapping: write a number, a text or a list" if isinstance(value, Mapping) else "")


def form(use: str, plugins: tuple[str, ...] = ()) -> Form:
    """The optimizer of a name; SpecError where there is none, where it may not run, or where it can't be stepped."""
    if ":" in use:
        return _own(use, plugins)
    if use not in SHIPPED:
        fault = unknown((), "there is no optimizer", use, SHIPPED)
        raise SpecError([fault if fault.cure else replace(fault, cure=OWN)])
    return Form(use, SHIPPED[use])


def _own(use: str, plugins: tuple[str, ...]) -> Form:
    found = registry.signature(use, plugins)
    names = [*found.settings][1:]  # the first parameter takes the weights
    if found.step is None:
        raise refusal((), f"'{use}' is no optimizer: it has no method step", OWN)
    if found.step:
        problem = f"'{use}' needs {_listed(found.step)} in its step, to compute the loss again and again"
        raise refusal((), problem, "a training step computes it once: choose an optimizer whose step needs nothing")
    if "lr" not in names:
        cure = "training writes the rate of each step under the name lr; derive a class that has this setting"
        raise refusal((), f"'{use}' has no setting 'lr'", cure, names)
    settings = {name: found.settings[name] for name in names if name not in RATES}
    decay = found.settings.get("weight_decay")
    return Form(use, {}, replace(found, settings=settings), _default(decay), decays=decay is not None)


def _default(decay: Setting | None) -> Any:
    """The weight decay of a constructor's default, where it is a number; 0 of an optimizer that has none."""
    if decay is None:
        return 0
    return decay.default if isinstance(decay.default, int | float) else None


def _listed(names: Iterable[str]) -> str:
    return " and ".join(f"'{name}'" for name in names)
