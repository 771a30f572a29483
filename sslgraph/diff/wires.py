"""What a loss reads, by the words that stand for it."""

from __future__ import annotations

from collections.abc import Iterable

from sslgraph.read.spec import Loss, Method


def wires(loss: Loss, flow: Iterable[str], declared: dict[str, str], method: Method) -> dict[str, str]:
    """What a loss reads: its `of` by position, and the settings that name a value, a view's port or a state."""
    known = {*flow, *method.views, *(name for name, section in declared.items() if section == "state")}
    named = {
        key: value
        for key, value in loss.settings.items()
        if isinstance(value, str) and value.split(".")[0].split("(")[0] in known
    }
    return {**{f"input {i + 1}": text for i, text in enumerate(loss.of)}, **named}
