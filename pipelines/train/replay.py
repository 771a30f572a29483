"""`sslgraph replay`: runs the step again in which a value became NaN or infinite."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sslgraph.errors import SslgraphError

from ..record.record import NotFiniteError
from ..storage import checkpoint
from . import loop
from .not_finite import FAULT, FOLDER, Bad, first_bad
from .run import Run
from .start import starting
from .start.prepare import prepare


@dataclass(frozen=True)
class Replay:
    """What was reported, and what was found now; None if every value is finite."""

    step: int
    message: str
    found: Bad | None

    def __str__(self) -> str:
        again = "not met again: every value and gradient of this step is finite here"
        return f"the run said: {self.message}\n{f'seen again: {self.found}' if self.found else again}"


def replay(folder: Path, *, plugins: tuple[str, ...] = ()) -> Replay:
    """Goes from the state in the folder to the step that it names, and looks at every value of it."""
    if not (folder / FAULT).is_file() or not (folder / checkpoint.TEXT).is_file():
        kept = sorted(folder.glob(f"{FOLDER}*"))
        raise SslgraphError(
            f"{folder} is the run; give its step: sslgraph replay {kept[-1]}"
            if kept
            else f"{folder} holds no step to replay; a run that met a loss that is no number keeps it in {FOLDER}..."
        )
    fault = json.loads((folder / FAULT).read_text())
    done = int(fault["step"]) - 1
    with tempfile.TemporaryDirectory(prefix="sslgraph-replay-") as out:
        if (folder / "checkpoints").is_dir():
            shutil.copytree(folder / "checkpoints", Path(out, "checkpoints"))
        given: dict[str, Any] = {"evaluate": {}, "monitor": None}
        cfg = {"recipe": str(folder / checkpoint.TEXT), "plugins": plugins, "out": out, "overrides": given}
        run = prepare(cfg)
        run.text = (folder / checkpoint.TEXT).read_text(encoding="utf-8")
        try:
            saved = starting.resume(run)
            for _ in loop.steps(run, saved.step if saved else 0, done):
                pass
            found = first_bad(run, done) or _bad_gradient(run, done)
        except NotFiniteError as earlier:
            found = first_bad(run, earlier.done)
        finally:
            run.record.abandon()
    return Replay(int(fault["step"]), str(fault["message"]), found)


def _bad_gradient(run: Run, done: int) -> Bad | None:
    """The first parameter whose gradient is not finite, where all values are."""
    found: list[str] = []
    run.optimizer.watch = lambda gradients: found.extend(
        n for n, g in gradients.items() if not bool(g.isfinite().all())
    )
    for _ in loop.steps(run, done, done + 1):
        break
    return Bad(found[0], "its gradient; all values of the forward pass are finite", {}) if found else None
