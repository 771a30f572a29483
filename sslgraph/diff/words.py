"""Changes as plain sentences."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from .changes import Added, Change, Changed, Removed, Rewired

_WHAT = {
    "view": "view",
    "net": "net",
    "target": "slow copy",
    "state": "state",
    "op": "op",
    "loss": "loss",
    "phase": "phase",
}


def in_words(changes: Iterable[Change]) -> list[str]:
    """Sentences said of the other method; what changes at one node stands in one of them."""
    return [_sentence(list(group)) for _, group in groupby(changes, _node)]


def _node(change: Change) -> object:
    """What changes of settings have in common when they stand in one sentence."""
    return (change.kind, change.one, change.other) if isinstance(change, Changed) else change


def _sentence(group: list[Change]) -> str:
    match group[0]:
        case Added():
            return f"with {_thing(group[0])}"
        case Removed():
            return f"without {_thing(group[0])}"
        case Changed(kind="export"):
            return f"keeps {group[0].after}, not {group[0].before}"
        case Changed():
            return (
                f"{_both(group[0])}: {', '.join(_setting(change) for change in group if isinstance(change, Changed))}"
            )
        case Rewired(kind="write"):
            return f"writes in another order: {group[0].after}; it was {group[0].before}"
    return f"{_both(group[0])} {_reading(group[0])}"


def _setting(change: Changed) -> str:
    name = "" if change.setting == "use" else f"{change.setting} "
    if change.after is None:
        return f"no {name}(was {change.before})"
    return f"{name}{change.after}" + (f" instead of {change.before}" if change.before is not None else "")


def _reading(change: Rewired) -> str:
    if not change.before:
        return f"reads {change.after} as {change.port}"
    if not change.after:
        return f"does not read {change.before} as {change.port}"
    return f"reads {change.after} instead of {change.before} as {change.port}"


def _thing(change: Added | Removed) -> str:
    if change.kind == "write":
        return f"the write {change.name}"
    if change.kind == "wiring":
        return "a stop-gradient (stopgrad)" if change.name == "stopgrad" else f"{change.name} in the flow"
    if change.kind == "target":
        return f"the slow copy {change.name} {change.detail}".replace(" of ", f" of the {change.role or 'net'} ", 1)
    what = change.role or _WHAT[change.kind]
    return f"the {what} {change.name}" + (f" ({change.detail})" if change.detail else "")


def _both(change: Changed | Rewired) -> str:
    """A node by its role and its name; where it has two names, the other method's first."""
    what = change.role or _WHAT.get(change.kind, change.kind)
    if change.kind == "target":
        what = f"slow copy of the {what}"
    return f"{what} {change.other}" + (f" (was {change.one})" if change.one != change.other else "")
