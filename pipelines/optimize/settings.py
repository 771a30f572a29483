"""Reads and checks the `optimizer:` of a recipe. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sslgraph.errors import Fault, SpecError, SslgraphError, raise_all, under, unknown, words
from sslgraph.parts import kinds
from sslgraph.parts.arguments import kind_in_words
from sslgraph.schedules import Schedule, schedule

from .optimizer_form import EXAMPLES, KINDS, RATES, Form, form
from .rates import rule

# The highest rate, at 256 images a step, with which papers continue from trained weights: no bound, a usual order.
GOING_ON = {"adam": 1e-4, "adamw": 1e-4, "sgd": 2e-2}
LARS_GOING_ON = 0.1  # nothing is usual for an own optimizer
EVERY = ("lr", "lr_times", "layer_decay", "weight_decay")  # what a group may say whatever its optimizer
COMMON = ("use", "lr", "lr_rule", "weight_decay", "clip", "groups")
PREDICATES = ("net", "name", "ndim", "owner")
GROUP = {
    **KINDS, "use": "str", "trust": "Positive | bool", "lr_times": "NotNegative", "layer_decay": "SomeShare",
    "ndim": "Whole | list[Whole]",
    **dict.fromkeys(("net", "name", "owner"), "str | list[str]"),
}  # fmt: skip
CLIP = {"norm": "Positive", "per": "Literal['all', 'net', 'parameter']"}
FORM = "{ndim: 1, weight_decay: 0}"


@dataclass(frozen=True)
class Numbers:
    """What one parameter is stepped with, and by which optimizer; parameters of equal numbers make a group."""

    use: str
    lr: Schedule
    lr_times: float
    weight_decay: Schedule
    own: tuple[tuple[str, Any], ...]  # momentum, betas, trust ...; trust None is plain steps
    decayed: float = 1.0  # what the layers above leave of the rate

    @property
    def times(self) -> float:
        """What the rate is multiplied with."""
        return self.lr_times * self.decayed


@dataclass(frozen=True)
class Rule:
    """`where` holds the predicates, all of which must be true of a parameter; `numbers` what it then gets instead."""

    where: Mapping[str, tuple[Any, ...]]
    numbers: Mapping[str, Any]

    def __str__(self) -> str:
        return ", ".join(f"{key} {' or '.join(map(str, wanted))}" for key, wanted in self.where.items())


@dataclass(frozen=True)
class Settings:
    """An optimizer as a recipe says it; `forms` has each that it or a group names."""

    use: str
    numbers: Numbers
    forms: Mapping[str, Form]
    lr_rule: str = "none"
    clip: Any = None
    rules: tuple[Rule, ...] = field(default=())


def read(settings: Mapping[str, Any], plugins: tuple[str, ...] = ()) -> Settings:
    """Reads the mapping; all that is wrong with it is named at once. `plugins` are the modules whose code may run."""
    use, texts = str(settings.get("use")), settings.get("groups") or []
    with under("use"):
        known = {use: form(use, plugins)}
    faults = [*_faults(known[use], settings), *_clip_faults(settings.get("clip"))]
    if not isinstance(texts, list):
        faults.append(Fault(("groups",), f"groups: must be a list, not {words(texts)}", (), f"write a list of {FORM}"))
        raise SpecError(faults)
    for i, text in enumerate(texts):
        other = text.get("use") if isinstance(text, Mapping) else None
        try:
            with under("groups", i, "use"):
                known |= {} if other is None else {str(other): form(str(other), plugins)}
        except SpecError as wrong:
            faults += wrong.faults
    decay = settings.get("weight_decay") or 0
    faults += [
        fault.under(("groups", i)) for i, text in enumerate(texts) for fault in _group_faults(text, known, decay)
    ]
    raise_all(faults)
    main = known[use]
    own = _own(main, settings)
    given = main.decay if settings.get("weight_decay") is None else settings["weight_decay"]
    numbers = Numbers(use, schedule(settings["lr"]), 1.0, schedule(given), own)
    rules = tuple(_rule(text) for text in texts)
    return Settings(use, numbers, known, str(settings.get("lr_rule", "none")), settings.get("clip"), rules)


def applied(numbers: Numbers, rule: Rule, forms: Mapping[str, Form], above: int = 0) -> Numbers:
    """The numbers with those of the rule in their places; with another optimizer, its own ones take all places.

    `above` counts the layers from the parameter's own to the end of its net: each takes `layer_decay` of the rate. A
    rule without `use` leaves out what the parameter's optimizer does not have: one rule may mean several nets.
    """
    use = str(rule.numbers.get("use", numbers.use))
    own = dict(numbers.own if use == numbers.use else _own(forms[use], {}))
    changes: dict[str, Any] = {}
    for key, value in rule.numbers.items():
        if key == "use" or key not in (*EVERY, *forms[use].names):
            continue
        if key in RATES:
            changes[key] = schedule(value)
        elif key == "lr_times":
            changes[key] = float(value)
        elif key == "layer_decay":
            changes["decayed"] = float(value) ** above
        elif key == "trust" and isinstance(value, bool):
            own[key] = own[key] if value else None
        else:
            own[key] = _plain(value)
    return replace(numbers, use=use, own=tuple(own.items()), **changes)


def pace(settings: Settings, net: str, *, batch: int) -> float:
    """The highest rate of a net, over what is usual for weights that are given: above 1 it is one from scratch.

    Groups count that mean the net by its name. The usual rate grows with the batch, as linear scaling has it. It is 0
    for an own optimizer, of which nobody knows what is usual.
    """
    numbers = settings.numbers
    for one in settings.rules:
        if set(one.where) == {"net"} and net in one.where["net"]:
            numbers = applied(numbers, one, settings.forms)
    if ":" in numbers.use:
        return 0.0
    highest = max(numbers.lr.every_value) * numbers.times * rule(settings.lr_rule, batch=batch).factor
    return highest / (GOING_ON.get(numbers.use, LARS_GOING_ON) * max(1.0, batch / 256))


def _faults(main: Form, settings: Mapping[str, Any]) -> list[Fault]:
    use = main.use
    faults = _unknown(f"optimizer {use} has no setting", settings, (*COMMON, *main.names))
    rates = ["lr", *(["weight_decay"] if main.decay is None else [])]
    needed = [*rates, *main.missing]
    for key in needed:
        if settings.get(key) is None:
            faults.append(Fault((key,), f"{use}: {key} must be given{_told(main, key)}"))
    given = {key: value for key, value in settings.items() if value is not None or key not in needed}
    faults += _values(f"of optimizer {use}", given, [main], RATES)
    faults += _no_decay(main, settings.get("weight_decay") or 0)
    if settings.get("nesterov") is True and settings.get("momentum") == 0:
        faults.append(Fault(("nesterov",), "nesterov: true needs a momentum above 0", (), "leave nesterov out"))
    try:
        rule(str(settings.get("lr_rule", "none")), batch=1)
    except SslgraphError as wrong:
        faults.append(Fault(("lr_rule",), str(wrong)))
    return faults


def _no_decay(one: Form, decay: Any) -> list[Fault]:
    """The fault of a weight decay of an optimizer that has none."""
    if one.decays or decay == 0:
        return []
    return [Fault(("weight_decay",), f"{one.use} has no weight decay", (), "write weight_decay: 0")]


def _clip_faults(clip: Any) -> list[Fault]:
    if clip is None:
        return []
    if not isinstance(clip, Mapping) or "norm" not in clip:
        return [Fault(("clip",), f"clip: {clip!r} names no norm", (), "write for example clip: {norm: 3.0, per: all}")]
    faults = [*_unknown("clip has no setting", clip, tuple(CLIP)), *_values("of clip", clip, (), CLIP)]
    return [fault.under(("clip",)) for fault in faults]


def _group_faults(text: Any, known: Mapping[str, Form], decay: Any) -> list[Fault]:
    """`decay` is the recipe's, which a group has that says none."""
    if not isinstance(text, Mapping):
        return [Fault((), f"a group of the optimizer is {words(text)}", (), f"write a mapping such as {FORM}")]
    use = text.get("use")
    if use is not None and str(use) not in known:
        return []
    own = None if use is None else known[str(use)]
    # Without a `use` of its own a group may change what any of the recipe's optimizers has.
    settings = dict.fromkeys(name for one in ([own] if own else known.values()) for name in one.names)
    effects = ("use", *EVERY, *settings)
    faults = _unknown("a group of the optimizer has no setting", text, (*PREDICATES, *effects))
    if own is not None:
        missing = [key for key in own.missing if key not in text]
        faults += [Fault((), f"a group that says use: {use} must say its {k}, too{_told(own, k)}") for k in missing]
        faults += _no_decay(own, text.get("weight_decay", decay))
    faults += _values("of a group", text, [own] if own else [*known.values()], GROUP)
    unsaid = "" if any(key in PREDICATES for key in text) else f"whom it means ({', '.join(PREDICATES)})"
    if not unsaid and all(key in PREDICATES for key in text):
        unsaid = f"what changes ({', '.join(effects)})"
    if unsaid:
        cure = f"write for example {FORM}"
        faults.append(Fault((), f"a group of the optimizer does not say {unsaid}", (), cure))
    return faults


def _rule(text: Mapping[str, Any]) -> Rule:
    where = {key: _list(text[key]) for key in PREDICATES if key in text}
    return Rule(where, {key: value for key, value in text.items() if key not in PREDICATES})


def _values(whose: str, given: Mapping[Any, Any], forms: Sequence[Form], known: Mapping[str, str]) -> list[Fault]:
    """What is wrong with values: of what `known` has an annotation for, else of what any of the optimizers has."""
    faults = []
    for key, value in given.items():
        having = [one for one in forms if key in one.names]
        if key in known and (not having or any(one.signature is None for one in having)):
            problems = [kinds.problem(known[key], value)]
        else:
            problems = [one.problem(key, value) for one in having]
        if problems and all(problems):
            faults.append(Fault((key,), f"'{key}' {whose} {problems[0]}"))
    return faults


def _told(main: Form, key: str) -> str:
    """What a setting or a rate that must be written may be, as a message ends."""
    if main.signature is not None and key in main.names:
        return f": {kind_in_words(main.signature.settings[key])}"
    return f" (papers differ); for example {key}: {EXAMPLES[key]}"


def _own(one: Form, given: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    """What an optimizer is told besides its rates; the defaults of an own one stay with its constructor."""
    said = {name: given[name] for name in one.names if name in given}
    return tuple((name, _plain(value)) for name, value in {**one.defaults, **said}.items())


def _unknown(what: str, given: Iterable[Any], known: tuple[str, ...]) -> list[Fault]:
    return [unknown((str(key),), what, str(key), known) for key in given if key not in known]


def _list(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _plain(value: Any) -> Any:
    return tuple(map(_plain, value)) if isinstance(value, list) else value
