"""`sslgraph replay`: the step in which a run met a value that is not finite, once more."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sslgraph.errors import SslgraphError

from . import checkpoint, train
from .not_finite import FAULT, Bad, first_bad
from .record import NotFiniteError
from .run import Run
from .setup import prepare


@dataclass(frozen=True)
class Replay:
    """What was reported, and what was found now; None if every value is finite."""

    step: int
    message: str
    found: Bad | None

    def __str__(self) -> str:
        says = str(self.found) if self.found else "not met again: every value and gradient of this step is finite here"
        return f"step {self.step}: {self.message}\n{says}"


def replay(folder: Path, *, plugins: tuple[str, ...] = ()) -> Replay:
    """Goes from the state in the folder to the step that it names, and looks at every value of it."""
    if not (folder / FAULT).is_file() or not (folder / checkpoint.TEXT).is_file():
        cure = "give a folder not_finite_step_... of a run"
        raise SslgraphError(f"{folder} holds no step to replay (no {FAULT} and {checkpoint.TEXT}); {cure}")
    fault = json.loads((folder / FAULT).read_text())
    done = int(fault["step"]) - 1
    with tempfile.TemporaryDirectory(prefix="sslgraph-replay-") as out:
        if (folder / "checkpoints").is_dir():
            shutil.copytree(folder / "checkpoints", Path(out, "checkpoints"))
        given: dict[str, Any] = {"evaluate": {}, "monitor": None}
        cfg = {"recipe": str(folder / checkpoint.TEXT), "plugins": plugins, "out": out, "overrides": given}
        with redirect_stdout(io.StringIO()):  # the introduction of a run that nobody starts
            run = prepare(cfg)
        run.text = (folder / checkpoint.TEXT).read_text()
        try:
            start = train.resume(run)
            for _ in train.steps(run, start, done):
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
    for _ in train.steps(run, done, done + 1):
        break
    return Bad(found[0], "its gradient; all values of the forward pass are finite", {}) if found else None
