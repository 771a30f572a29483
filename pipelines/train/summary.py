"""The summary of a finished run, on one page."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from sslgraph import collectives
from sslgraph.files import whole_file

from ..storage import checkpoint, metrics_file
from .run import Run

NAME = "summary.json"


def write(run: Run, step: int) -> dict[str, Any]:
    """Writes and returns the summary of a run that has done its last step."""
    summary = {
        **run.facts,
        "steps": step,
        "losses": run.record.losses,
        "measures": run.record.measures,
        "best": {run.best: _highest(run.checkpoints, run.best)} if run.best else {},
        "broken_images": len(run.record.broken),
        **_health(run, step),
        "images_per_second": round(run.record.images_per_second, 1) or None,  # none was seen since the last start
        "finished": time.strftime("%Y-%m-%d %H:%M:%S"),
        "checkpoint": newest(run, step),
    }
    if collectives.rank() == 0:
        summary = with_holes(run.folder, summary)
        whole_file.put_json(run.folder / NAME, summary)
    return summary


def newest(run: Run, step: int) -> str:
    """The path of a step's checkpoint; a run that was moved since says where it is now."""
    return f"{run.address or run.folder}/{run.checkpoints.name}/step_{step:08d}"


def read(folder: Path) -> dict[str, Any] | None:
    """The summary of a run that is over; None if there is none, or it is damaged."""
    found = whole_file.mapping(folder / NAME)
    return found if found and "steps" in found else None


def with_holes(folder: Path, summary: dict[str, Any]) -> dict[str, Any]:
    """The summary as it is now: a step that no line of the record tells of is named, whenever its line was lost."""
    holes = metrics_file.missing(folder, summary["steps"])
    return {**summary, "missing_steps": holes} if holes else {k: v for k, v in summary.items() if k != "missing_steps"}


def _health(run: Run, step: int) -> dict[str, Any]:
    """The last look at every edge, and what it means; nothing where nobody looked."""
    if run.monitor is None:
        return {}
    last = run.monitor.latest[-1] if run.monitor.latest else {}
    return {"monitors": last, "diagnosis": [str(finding) for finding in run.monitor.findings(step)]}


def _highest(checkpoints: Path, name: str) -> float | None:
    measured = [checkpoint.measures_of(path) for path in checkpoint.complete(checkpoints)]
    return max((found[name] for found in measured if name in found), default=None)
