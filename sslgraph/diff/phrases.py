"""Short words for settings: a value, and how it changes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from typing import Any

from sslgraph.schedules import is_schedule

from .changes import Added, Change, Changed, Removed, Rewired, written
from .statements import listed

ARROW = "->"
THINGS = {"loss": "loss term", "target": "slow copy"}
MOST = 3  # changes that the first line names; of the others it says where they are
# The order in which a reader asks.
_ORDER = ("use", "augment", "preset", "name", "depth", "hidden", "out", "norm", "output_norm", "patch")


def of_value(value: Any) -> str:
    """A number, or a schedule in words: "cosine 0.996 to 1", "linear 0.04 to 0.07 over 30 epochs"."""
    if not is_schedule(value):
        return str(written(value))
    if "warmup" in value:
        return f"warm-up {value['warmup']}, then {of_value(value.get('then'))}"
    kind = next(word for word in ("cosine", "linear", "steps") if word in value)
    numbers = " to ".join(str(written(number)) for number in value[kind])
    more = [f"{word} {value[word]}" for word in ("over", "at") if word in value]
    return " ".join([kind, numbers, *more])


def of_settings(changes: Iterable[Changed]) -> str:
    """What changes at one part, its class first; settings that left with the old class are left out."""
    told = sorted(changes, key=lambda c: _ORDER.index(c.setting) if c.setting in _ORDER else len(_ORDER))
    is_new_class = any(change.setting in ("use", "augment") for change in told)
    return ", ".join(_one(change, is_new_class) for change in told if not (is_new_class and change.after is None))


def _one(change: Changed, is_new_class: bool) -> str:
    before, after = _said(change.before), _said(change.after)
    match change.setting:
        case "use":
            return f"{_short(before, after)} {ARROW} {_short(after, before)}"
        case "augment":
            return f"augmentation {after}, was {before}"
        case "hidden" if not is_new_class:
            return _hidden(change)
        case "sync_norm":
            return "BatchNorm for each rank" if after == "false" else "BatchNorm over all ranks"
        case "frozen":
            return "frozen" if after == "true" else "trained"
        case "freeze":
            if "always" in f"{before} {after}":
                return f"frozen: {after}" if change.after else f"nothing frozen (was {before})"
            return f"frozen for {after}" if change.after else f"not frozen at first (was for {before})"
    name = change.setting
    if change.before is None:
        return f"{name} {after}"
    return f"no {name} (was {before})" if change.after is None else f"{name} {before} {ARROW} {after}"


def _hidden(change: Changed) -> str:
    """Widths of hidden layers: how many layers there are, then how wide."""
    before, after = _widths(change.before), _widths(change.after)
    if before is None or after is None:
        return f"hidden {change.before or 'unset'} {ARROW} {change.after or 'unset'}"
    said = [f"{len(before) + 1} {ARROW} {len(after) + 1} layers"] if len(before) != len(after) else []
    if set(before) != set(after):
        said.append(f"hidden {_wide(before)} {ARROW} {_wide(after)}")
    return ", ".join(said) or f"hidden {change.before} {ARROW} {change.after}"


def _widths(text: str | None) -> list[int] | None:
    try:
        found = ast.literal_eval(text or "")
    except (ValueError, SyntaxError):
        return None
    return found if isinstance(found, list) else None


def _wide(widths: list[int]) -> str:
    return ", ".join(map(str, dict.fromkeys(widths))) or "none"


def _said(text: str | None) -> str:
    """The text of a value; of a schedule, its words: "cosine 0.996 to 1"."""
    if text is None or not text.startswith("{"):
        return text or "unset"
    steps = re.sub(r"(\w+): \[([^\]]*)\]", lambda found: f"{found[1]} {found[2].replace(', ', ' to ')}", text)
    return steps.strip("{}").replace(": ", " ")


def _short(name: str, other: str) -> str:
    """The name of a class, without a folder that both have."""
    return name.rpartition(".")[2] if name.split(".")[0] == other.split(".")[0] else name


def in_short(changes: Iterable[Change]) -> tuple[list[str], list[str]]:
    """What goes and what comes, in a few words each, the structure first: "temperature 0.2 instead of 0.07"."""
    told = sorted(changes, key=_rank)
    less = [_where(change) for change in told if isinstance(change, Removed) and _rank(change) == 0]
    more = [_where(change) for change in told if isinstance(change, Added) and _rank(change) == 0]
    settings = [change for change in told if isinstance(change, Changed)]
    new = {(change.kind, change.one) for change in settings if change.setting == "use"}  # with settings of their own
    settings = [c for c in settings if c.setting == "use" or (c.kind, c.one) not in new]
    named = list(dict.fromkeys(map(_instead, settings)))[: max(1, MOST - len(less) - len(more))]
    rest = dict.fromkeys(_where(change) for change in settings if _instead(change) not in named)
    wired = dict.fromkeys(_where(c) for c in told if isinstance(c, Rewired) and c.kind == "loss")
    more += named + [f"other settings of the {listed(list(rest))}"] * bool(rest)
    more += [f"other inputs of the {listed(list(wired))}"] * bool(wired)
    return less, more if less or more else ["another wiring"]


def _rank(change: Change) -> float:
    """How early a reader asks for a change: parts, classes, numbers of losses, others; 9 for what others imply."""
    if isinstance(change, Changed):
        first = 1 + 0.5 * (change.kind == "net")
        return first if change.setting == "use" else 2 if change.kind == "loss" or change.setting == "augment" else 3
    return 0 if change.kind in ("net", "op", "loss", "state") and not isinstance(change, Rewired) else 9


def _where(change: Change) -> str:
    """What a reader calls the place of a change: a role, or a name where there are many of a kind."""
    if isinstance(change, Added | Removed):
        return f"{change.role or THINGS.get(change.kind, '')} {change.name}".strip()
    if change.kind in ("op", "state", "phase"):
        return change.other
    return "slow copy" if change.kind == "target" else change.role or change.kind


def _instead(change: Changed) -> str:
    """A change of one setting: "mlp as projector instead of linear", "view size 224"."""
    before, after, where = _said(change.before), _said(change.after), _where(change)
    if change.setting == "use":
        what = "" if change.kind in ("op", "loss") else f" as {where}"
        return f"{_short(after, before)}{what} instead of {_short(before, after)}"
    if change.setting == "augment":
        return f"augmentation {after} instead of {before}"
    if change.setting == "hidden" and (widths := [_widths(change.before), _widths(change.after)]) and all(widths):
        before, after = (str(len(found or ()) + 1) for found in widths)
        return (
            f"{after} layers in the {where} instead of {before}" if before != after else f"other widths of the {where}"
        )
    name = change.setting if change.kind in ("loss", "target") else f"{where} {change.setting}"
    if {before, after} <= {"true", "false", "unset"}:
        return f"{name}: {after}"
    if change.before is None or change.after is None:
        return f"{name} {after}" if change.after is not None else f"no {name}"
    return f"{name} {after} instead of {before}"
