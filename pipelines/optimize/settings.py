"""Reads and checks the `optimizer:` of a recipe. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sslgraph.errors import Fault, SpecError, SslgraphError, unknown, words
from sslgraph.parts import kinds
from sslgraph.schedules import Schedule, schedule

from .rates import rule

# The settings of each optimizer besides its rates; None must be given in the recipe, because papers differ.
OWN: dict[str, dict[str, Any]] = {
    "sgd": {"momentum": None, "nesterov": False},
    "adam": {"betas": (0.9, 0.999), "eps": 1e-8},
    "adamw": {"betas": (0.9, 0.999), "eps": 1e-8},
    "lars_tf": {"momentum": None, "trust": None},
    "lars_out": {"momentum": None, "trust": None},
    "larc_apex": {"momentum": None, "trust": None, "nesterov": False},
    "lars_solo": {"momentum": None, "trust": None, "nesterov": False, "clip_lr": None},
}
# The highest rate, at 256 images a step, with which papers continue from trained weights: no bound, a usual order.
GOING_ON = {"adam": 1e-4, "adamw": 1e-4, "sgd": 2e-2}
LARS_GOING_ON = 0.1
EVERY = ("lr", "lr_times", "weight_decay")  # what a group may say whatever its optimizer
COMMON = ("use", "lr", "lr_rule", "weight_decay", "clip", "groups")
PREDICATES = ("net", "name", "ndim", "owner")
# What each number may be, as an annotation of sslgraph.ranges.
KINDS = {
    "lr": "NotNegativeScalar", "weight_decay": "NotNegativeScalar", "momentum": "LessThanOne", "nesterov": "bool",
    "betas": "tuple[LessThanOne, LessThanOne]", "eps": "Positive", "trust": "Positive", "clip_lr": "bool",
}  # fmt: skip
GROUP = {
    **KINDS, "use": "str", "trust": "Positive | bool", "lr_times": "NotNegative", "ndim": "Whole | list[Whole]",
    **dict.fromkeys(("net", "name", "owner"), "str | list[str]"),
}  # fmt: skip
CLIP = {"norm": "Positive", "per": "Literal['all', 'net', 'parameter']"}
FORM = "{ndim: 1, weight_decay: 0}"
EXAMPLES = {"lr": "0.03", "momentum": "0.9", "weight_decay": "1e-4", "trust": "1e-3", "clip_lr": "true"}


@dataclass(frozen=True)
class Numbers:
    """What one parameter is stepped with, and by which optimizer; parameters of equal numbers make a group."""

    use: str
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
    """Reads the mapping; all that is wrong with it is named at once."""
    use = str(settings.get("use"))
    if use not in OWN:
        raise SpecError([unknown(("use",), "there is no optimizer", use, OWN)])
    texts = settings.get("groups") or []
    faults = [*_faults(use, settings), *_clip_faults(settings.get("clip"))]
    if not isinstance(texts, list):
        faults.append(Fault(("groups",), f"groups: must be a list, not {words(texts)}", (), f"write a list of {FORM}"))
    else:
        said = [text.get("use") for text in texts if isinstance(text, Mapping)]
        uses = (use, *(str(other) for other in said if str(other) in OWN))
        faults += [fault.under(("groups", i)) for i, text in enumerate(texts) for fault in _group_faults(text, uses)]
    if faults:
        raise SpecError(faults)
    own = {key: _plain(settings.get(key, value)) for key, value in OWN[use].items()}
    numbers = Numbers(use, schedule(settings["lr"]), 1.0, schedule(settings["weight_decay"]), tuple(own.items()))
    rules = tuple(_rule(text) for text in texts)
    return Settings(use, numbers, str(settings.get("lr_rule", "none")), settings.get("clip"), rules)


def applied(numbers: Numbers, rule: Rule) -> Numbers:
    """The numbers with those of the rule in their places; with another optimizer, its own ones take all places.

    A rule without `use` leaves out what the parameter's optimizer does not have: one rule may mean several nets.
    """
    use = str(rule.numbers.get("use", numbers.use))
    own = dict(numbers.own) if use == numbers.use else {key: _plain(value) for key, value in OWN[use].items()}
    changes: dict[str, Any] = {}
    for key, value in rule.numbers.items():
        if key == "use" or key not in (*EVERY, *own):
            continue
        if key in ("lr", "weight_decay"):
            changes[key] = schedule(value)
        elif key == "lr_times":
            changes[key] = float(value)
        elif key == "trust" and isinstance(value, bool):
            own[key] = own[key] if value else None
        else:
            own[key] = _plain(value)
    return Numbers(
        use,
        changes.get("lr", numbers.lr),
        changes.get("lr_times", numbers.lr_times),
        changes.get("weight_decay", numbers.weight_decay),
        tuple(own.items()),
    )


def pace(settings: Settings, net: str, *, batch: int) -> float:
    """The highest rate of a net, over what is usual for weights that are given: above 1 it is one from scratch.

    Groups count that mean the net by its name. The usual rate grows with the batch, as linear scaling has it.
    """
    numbers = settings.numbers
    for one in settings.rules:
        if set(one.where) == {"net"} and net in one.where["net"]:
            numbers = applied(numbers, one)
    highest = max(numbers.lr.every_value) * numbers.lr_times * rule(settings.lr_rule, batch=batch).factor
    return highest / (GOING_ON.get(numbers.use, LARS_GOING_ON) * max(1.0, batch / 256))


def _faults(use: str, settings: Mapping[str, Any]) -> list[Fault]:
    faults = _unknown(f"optimizer {use} has no setting", settings, (*COMMON, *OWN[use]))
    needed = ["lr", "weight_decay", *(key for key, value in OWN[use].items() if value is None)]
    for key in needed:
        if settings.get(key) is None:
            problem = f"{use}: {key} must be given (papers differ); for example {key}: {EXAMPLES[key]}"
            faults.append(Fault((key,), problem))
    given = {key: value for key, value in settings.items() if value is not None or key not in needed}
    faults += _values(f"of optimizer {use}", given, KINDS)
    if settings.get("nesterov") is True and settings.get("momentum") == 0:
        faults.append(Fault(("nesterov",), "nesterov: true needs a momentum above 0", (), "leave nesterov out"))
    try:
        rule(str(settings.get("lr_rule", "none")), batch=1)
    except SslgraphError as wrong:
        faults.append(Fault(("lr_rule",), str(wrong)))
    return faults


def _clip_faults(clip: Any) -> list[Fault]:
    if clip is None:
        return []
    if not isinstance(clip, Mapping) or "norm" not in clip:
        return [Fault(("clip",), f"clip: {clip!r} names no norm", (), "write for example clip: {norm: 3.0, per: all}")]
    faults = [*_unknown("clip has no setting", clip, tuple(CLIP)), *_values("of clip", clip, CLIP)]
    return [fault.under(("clip",)) for fault in faults]


def _group_faults(text: Any, uses: tuple[str, ...]) -> list[Fault]:
    if not isinstance(text, Mapping):
        return [Fault((), f"a group of the optimizer is {words(text)}", (), f"write a mapping such as {FORM}")]
    own = text.get("use")
    if own is not None and str(own) not in OWN:
        return [unknown(("use",), "there is no optimizer", str(own), OWN)]
    # Without a `use` of its own a group may change what any of the recipe's optimizers has.
    settings = dict.fromkeys(key for use in ((own,) if own else uses) for key in OWN[use])
    effects = ("use", *EVERY, *settings)
    faults = _unknown("a group of the optimizer has no setting", text, (*PREDICATES, *effects))
    for key in (key for key, value in OWN[own].items() if value is None and key not in text) if own else ():
        problem = f"a group that says use: {own} must say its {key}, too (papers differ); for example"
        faults.append(Fault((), f"{problem} {key}: {EXAMPLES[key]}"))
    faults += _values("of a group", text, GROUP)
    missing = "" if any(key in PREDICATES for key in text) else f"whom it means ({', '.join(PREDICATES)})"
    if not missing and all(key in PREDICATES for key in text):
        missing = f"what changes ({', '.join(effects)})"
    if missing:
        cure = f"write for example {FORM}"
        faults.append(Fault((), f"a group of the optimizer does not say {missing}", (), cure))
    return faults


def _rule(text: Mapping[str, Any]) -> Rule:
    where = {key: _list(text[key]) for key in PREDICATES if key in text}
    return Rule(where, {key: value for key, value in text.items() if key not in PREDICATES})


def _values(whose: str, given: Mapping[Any, Any], known: Mapping[str, str]) -> list[Fault]:
    found = {key: kinds.problem(known[key], value) for key, value in given.items() if key in known}
    return [Fault((key,), f"'{key}' {whose} {problem}") for key, problem in found.items() if problem]


def _unknown(what: str, given: Iterable[Any], known: tuple[str, ...]) -> list[Fault]:
    return [unknown((str(key),), what, str(key), known) for key in given if key not in known]


def _list(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
