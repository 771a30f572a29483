"""Reads metrics.jsonl back: its complete lines, and the steps that have none."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

NAME = "metrics.jsonl"
EACH_STEP = "gradient_norm"  # every step's line has it; the line of an evaluation before the first step does not
SHOWN = 5


def parsed(line: str) -> dict[str, Any] | None:
    """The values of a line; None if it is garbled, or a crash left it half written."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    is_line = isinstance(found, dict) and isinstance(found.get("step"), int | float)
    return found if is_line else None


def lines(folder: Path) -> Iterator[dict[str, Any]]:
    """The whole lines of a run's record, as they come."""
    file = folder / NAME
    text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    return (found for line in text.splitlines() if (found := parsed(line)) is not None)


def last_step(folder: Path) -> int:
    """The last step that is recorded; 0 if none is."""
    return int(max((line["step"] for line in lines(folder)), default=0))


def missing(folder: Path, done: int) -> str:
    """The steps up to `done` that no whole line tells of, in words: "7, 12-15"; "" if there are none."""
    there = {int(line["step"]) for line in lines(folder) if EACH_STEP in line}
    gaps = [*_gaps(there, done)]
    more = f" and {len(gaps) - SHOWN} more stretches" if len(gaps) > SHOWN else ""
    return ", ".join(gaps[:SHOWN]) + more


def _gaps(there: Iterable[int], done: int) -> Iterator[str]:
    for before, after in pairwise([0, *sorted(step for step in there if 0 < step <= done), done + 1]):
        if after - before > 1:
            yield f"{before + 1}" if after - before == 2 else f"{before + 1}-{after - 1}"
