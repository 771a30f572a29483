"""Turns a spec's settings of a part into constructor arguments: checks names and types, explains faults in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sslgraph.errors import Fault, nearest
from sslgraph.parts import kinds
from sslgraph.parts.signature import Setting, Signature


def setting_faults(found: Signature, settings: Mapping[str, Any], *, ports: Iterable[str] = ()) -> list[Fault]:
    """What is wrong with these settings of a part, each fault at the name of its setting.

    `ports` are names that may be beside the settings, as in a loss.
    """
    faults = []
    for name, value in settings.items():
        if name not in found.settings:
            known = [*found.settings, *ports]
            close = nearest(name, known)
            hint = f"did you mean '{close}'?" if close else f"it has: {', '.join(known) or 'none'}"
            faults.append(Fault((name,), f"{found.use} has no setting '{name}'; {hint}"))
        elif problem := kinds.problem(found.settings[name].annotation, value):
            faults.append(Fault((name,), f"'{name}' of {found.use} {problem}"))
    missing = [setting for setting in found.settings.values() if setting.is_required and setting.name not in settings]
    return faults + [Fault((), f"{found.use} needs the setting '{s.name}': {kind_in_words(s)}") for s in missing]


def constructed(setting: Setting, value: Any) -> Any:
    """A setting's value as the constructor takes it: a list becomes a tuple, a schedule its first value."""
    return kinds.converted(setting.annotation, value)


def kind_in_words(setting: Setting) -> str:
    """What a setting may be: "a whole number", "10, 18 or 34"."""
    return kinds.in_words(setting.annotation)
