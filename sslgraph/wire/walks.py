"""Walks along arrows."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

Stop = TypeVar("Stop", bound=Hashable)


def reached(starts: Iterable[Stop], onward: Callable[[Stop], Iterable[Stop]]) -> set[Stop]:
    """Where one comes to from these starts, which are among it; `onward` gives the next stops of each."""
    found, todo = set[Stop](), list(starts)
    while todo:
        if (here := todo.pop()) not in found:
            found.add(here)
            todo += onward(here)
    return found
