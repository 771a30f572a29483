"""The `optimizer:` of a recipe, read and refused in one place. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sslgraph.errors import SpecError, refusal, under, unknown
from sslgraph.schedules import Schedule, schedule

# What each optimizer is told besides its rates; a value of None must be written in the recipe, for papers differ in it.
OWN: dict[str, dict[str, Any]] = {
    "sgd": {"momentum": None, "nesterov": False},
    "adam": {"betas": (0.9, 0.999), "eps": 1e-8},
    "adamw": {"betas": (0.9, 0.999), "eps": 1e-8},
    "lars_tf": {"momentum": None, "trust": None},
    "lars_out": {"momentum": None, "trust": None},
    "larc_apex": {"momentum": None, "trust": None, "nesterov": False},
    "lars_solo": {"momentum": None, "trust": None, "nesterov": False, "clip_lr": None},
}
COMMON = ("use", "lr", "lr_rule", "weight_decay", "clip", "groups")
PREDICATES = ("net", "name", "ndim", "owner")
EXAMPLES = {"lr": "0.03", "momentum": "0.9", "weight_decay": "1e-4", "trust": "1e-3", "clip_lr": "true"}


@dataclass(frozen=True)
class Numbers:
    """What one parameter is stepped with; parameters of equal numbers make a group."""

    lr: Schedule
    lr_times: float
    weight_decay: Schedule
    own: tuple[tuple[str, Any], ...]  # momentum, betas, trust ...; trust None is plain steps


@dataclass(frozen=True)
class Rule:
    """`where` holds the predicates, all of which must be true of a parameter; `numbers` what it then gets instead."""

    where: Mapping[str, tuple[Any, ...]]
    numbers: Mapping[str, Any]

    def __str__(self) -> str:
        return ", ".join(f"{key} {' or '.join(map(str, wanted))}" for key, wanted in self.where.items())


@dataclass(frozen=True)
class Settings:
    """An optimizer as a recipe says it."""

    use: str
    numbers: Numbers
    lr_rule: str = "none"
    clip: Any = None
    rules: tuple[Rule, ...] = field(default=())


def read(settings: Mapping[str, Any]) -> Settings:
    """Reads the mapping; every key that is not known or not there is named."""
    use = str(settings.get("use"))
    if use not in OWN:
        raise SpecError([unknown(("use",), "there is no optimizer", use, OWN)])
    _refuse_unknown(f"optimizer {use} has no setting", settings, (*COMMON, *OWN[use]))
    needed = ["lr", "weight_decay", *(key for key, value in OWN[use].items() if value is None)]
    for key in needed:
        if settings.get(key) is None:
            problem = f"{use}: {key} must be given (papers differ); for example {key}: {EXAMPLES[key]}"
            raise refusal((key,), problem)
    own = {key: _plain(settings.get(key, value)) for key, value in OWN[use].items()}
    rates = {}
    for key in ("lr", "weight_decay"):
        with under(key):
            rates[key] = schedule(settings[key])
    numbers = Numbers(rates["lr"], 1.0, rates["weight_decay"], tuple(own.items()))
    rules = []
    for i, text in enumerate(settings.get("groups") or []):
        with under("groups", i):
            rules.append(_rule(text, use))
    return Settings(use, numbers, str(settings.get("lr_rule", "none")), settings.get("clip"), tuple(rules))


def applied(numbers: Numbers, rule: Rule) -> Numbers:
    """The numbers with those of the rule in their places."""
    own = dict(numbers.own)
    changes: dict[str, Any] = {}
    for key, value in rule.numbers.items():
        if key in ("lr", "weight_decay"):
            changes[key] = schedule(value)
        elif key == "lr_times":
            changes[key] = float(value)
        elif key == "trust" and isinstance(value, bool):
            own[key] = own[key] if value else None
        else:
            own[key] = _plain(value)
    return Numbers(
        changes.get("lr", numbers.lr),
        changes.get("lr_times", numbers.lr_times),
        changes.get("weight_decay", numbers.weight_decay),
        tuple(own.items()),
    )


def _rule(text: Any, use: str) -> Rule:
    form = "{ndim: 1, weight_decay: 0}"
    if not isinstance(text, Mapping):
        raise refusal((), f"a group of the optimizer is {text!r}", f"write a mapping such as {form}")
    effects = ("lr", "lr_times", "weight_decay", *OWN[use])
    _refuse_unknown("a group of the optimizer has no setting", text, (*PREDICATES, *effects))
    where = {key: _list(text[key]) for key in PREDICATES if key in text}
    numbers = {key: value for key, value in text.items() if key not in PREDICATES}
    if not where or not numbers:
        missing = f"whom it means ({', '.join(PREDICATES)})" if not where else f"what changes ({', '.join(effects)})"
        raise refusal((), f"a group of the optimizer does not say {missing}", f"write for example {form}")
    return Rule(where, numbers)


def _refuse_unknown(what: str, given: Iterable[Any], known: tuple[str, ...]) -> None:
    faults = [unknown((str(key),), what, str(key), known) for key in given if key not in known]
    if faults:
        raise SpecError(faults)


def _list(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
