"""The table of docs/results.md from evaluated run folders: `python -m benchmarks.results runs/*`.

Runs of one recipe are one row: the mean over its seeds, and with several of them the lowest and the highest.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

EARLIER = {"knn20": "knn", "linear": "probe"}  # what files of before 2026-11-27 call these protocols
COLUMNS = tuple((encoder, protocol) for protocol in EARLIER for encoder in ("trained", "random", "pixels"))
HEAD = "| recipe | seeds | knn20 | random | pixels | linear | random | pixels |\n|---|---|---|---|---|---|---|---|"


def rows(folders: list[Path]) -> list[str]:
    """One line of the table for each recipe, in the order of their names."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for folder in folders:
        evaluation, summary = folder / "evaluation.json", folder / "summary.json"
        if evaluation.is_file() and summary.is_file():
            found[json.loads(summary.read_text())["recipe"]].append(json.loads(evaluation.read_text()))
    return [f"| {name} | {len(runs)} | {' | '.join(_cells(runs))} |" for name, runs in sorted(found.items())]


def _cells(runs: list[dict[str, Any]]) -> list[str]:
    cells = []
    for encoder, protocol in COLUMNS:
        found = [run[encoder].get(protocol) or run[encoder].get(EARLIER[protocol]) for run in runs]
        values = [100 * one["accuracy"] for one in found if one]
        if not values:  # an evaluation that was cut off
            cells.append("-")
            continue
        spread = f" ({min(values):.1f}-{max(values):.1f})" if len(values) > 1 and encoder == "trained" else ""
        cells.append(f"{sum(values) / len(values):.1f}{spread}")
    return cells


if __name__ == "__main__":
    print("\n".join([HEAD, *rows([Path(word) for word in sys.argv[1:]])]))
