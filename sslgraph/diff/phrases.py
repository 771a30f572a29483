"""Short words for settings: a value, and how it changes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from typing import Any

from sslgraph.schedules import is_schedule

from .changes import Changed, written

ARROW = "->"
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
