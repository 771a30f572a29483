"""Saves the state of a run after a step, completely or not at all, and reads it back bit by bit."""

from __future__ import annotations

import errno
import json
import os
import pickle
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from sslgraph.errors import SslgraphError
from sslgraph.files import whole_file
from sslgraph.files.write_whole import reason as why

NAME = re.compile(r"step_(\d{8})")
MARKER = "COMPLETE"
BEFORE = ".before"  # ends the name of a checkpoint whose place a new one of the same step takes
TEXT = "resolved.yaml"
PARTS = ("method", "optimizer", "run")
FULL = (errno.ENOSPC, errno.EDQUOT)
# What reading a damaged checkpoint raises.
DAMAGE = (OSError, EOFError, AttributeError, TypeError, RuntimeError, ValueError, LookupError, pickle.UnpicklingError)


@dataclass(frozen=True)
class Checkpoint:
    """Everything a run needs to continue as if it had never stopped.

    `method` holds weights, targets and every state by name, `optimizer` what it remembers by parameter name, `run` the
    seed, the newest losses, the fingerprint of the images and the forms of the work; `text` is the resolved recipe and
    method, `measures` what evaluations found. Random generators need not be here: whatever is drawn is a function of
    seed and step.
    """

    text: str
    step: int
    method: Mapping[str, Any]
    optimizer: Mapping[str, Any]
    run: Mapping[str, Any] = field(default_factory=dict)
    measures: Mapping[str, float] = field(default_factory=dict)


def complete(folder: Path) -> list[Path]:
    """The checkpoints in a folder that were written to their end, oldest first."""
    return sorted(path for path in folder.glob("step_*") if NAME.fullmatch(path.name) and (path / MARKER).is_file())


def step_of(path: Path) -> int:
    """The number of optimizer steps done when it was written."""
    found = NAME.fullmatch(path.name)
    assert found is not None
    return int(found[1])


def measures_of(path: Path) -> dict[str, float]:
    """What was measured at a checkpoint, read from its marker alone."""
    return dict(_marker(path)["measures"])


def _marker(path: Path) -> dict[str, Any]:
    """What was written last: the step, the measures and the size of each file."""
    found: dict[str, Any] = json.loads((path / MARKER).read_text())
    return found


def save(folder: Path, checkpoint: Checkpoint, *, keep: int = 2, best: str | None = None) -> Path:
    """Writes a checkpoint, then removes older ones except the newest `keep` and the one of the highest `best`.

    Everything goes to a hidden folder first and is renamed when it is on the disk. A checkpoint of the same step moves
    aside before that and is deleted after it. So there is a whole checkpoint at any moment, whatever fails.
    """
    final = folder / f"step_{checkpoint.step:08d}"
    hidden, before = folder / f".{final.name}", folder / f".{final.name}{BEFORE}"
    try:
        _write(hidden, checkpoint)
        if final.exists():
            shutil.rmtree(before, ignore_errors=True)
            final.replace(before)
        hidden.replace(final)
        _flush(folder)
    except OSError as problem:
        if before.exists() and not final.exists():
            before.replace(final)
        shutil.rmtree(hidden, ignore_errors=True)
        if problem.errno not in FULL:
            raise
        raise SslgraphError(_full(folder, checkpoint.step, problem)) from problem
    _prune(folder, keep=keep, best=best)
    return final


def adopt(folder: Path) -> None:
    """Finishes what a killed run had begun: a whole hidden checkpoint that is the newest is put in its place.

    All other hidden folders are removed: a checkpoint that was not written to its end, or one that was being deleted.
    """
    newest = max((step_of(path) for path in complete(folder) if is_whole(path)), default=-1)
    for hidden in sorted(folder.glob(".step_*")):
        final = hidden.with_name(hidden.name[1:].removesuffix(BEFORE))
        if NAME.fullmatch(final.name) and step_of(final) > newest and is_whole(hidden):
            shutil.rmtree(final, ignore_errors=True)  # it is damaged, or it would be the newest
            hidden.replace(final)
            _flush(folder)
            newest = step_of(final)
        else:
            shutil.rmtree(hidden)


def is_whole(path: Path) -> bool:
    """Whether a folder holds every byte of a checkpoint, by its marker and the sizes in it."""
    try:
        sizes = _marker(path)["files"]
        return bool(sizes) and all((path / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def load(path: Path) -> Checkpoint:
    """Reads a checkpoint."""
    try:
        marker = _marker(path)
        if any((path / name).stat().st_size != size for name, size in marker["files"].items()):
            raise EOFError("a file is shorter than it was written")
        saved_text = (path / TEXT).read_text(encoding="utf-8")
        parts = {name: torch.load(path / f"{name}.pt", map_location="cpu", weights_only=True) for name in PARTS}
        if strange := [name for name, part in parts.items() if not isinstance(part, dict)]:
            raise ValueError(f"{strange[0]}.pt holds no named values")
        measures = dict(marker["measures"])
        if marker["step"] != step_of(path):
            raise ValueError(f"it was written at step {marker['step']}")
    except DAMAGE as problem:
        if isinstance(problem, OSError) and problem.errno not in (None, errno.ENOENT):
            # What the system refuses says nothing of the files: nobody should remove them for it.
            raise SslgraphError(f"the checkpoint {path} can't be read: {why(problem)}") from problem
        reason = (str(problem) or type(problem).__name__).splitlines()[0].partition(". ")[0]
        cure = "remove the folder to continue from the one before it"
        raise SslgraphError(f"the checkpoint {path} is damaged and can't be read ({reason}); {cure}") from problem
    return Checkpoint(saved_text, step_of(path), measures=measures, **parts)


def about(folder: Path) -> dict[str, Any]:
    """The `run` of the newest checkpoint in a folder; empty if there is none, or it can't be read (see `load`)."""
    try:
        found = torch.load(complete(folder)[-1] / "run.pt", map_location="cpu", weights_only=True)
    except (IndexError, OSError, EOFError, RuntimeError, ValueError, pickle.UnpicklingError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(hidden: Path, checkpoint: Checkpoint) -> None:
    shutil.rmtree(hidden, ignore_errors=True)
    hidden.mkdir(parents=True)
    whole_file.put(hidden / TEXT, checkpoint.text.encode())
    for name in PARTS:
        with _Remembering(hidden / f"{name}.pt") as file:
            torch.save(dict(getattr(checkpoint, name)), file)  # type: ignore[arg-type]  # all it does is write
    sizes = {path.name: path.stat().st_size for path in sorted(hidden.iterdir())}
    marker = {"step": checkpoint.step, "measures": dict(checkpoint.measures), "files": sizes}
    whole_file.put(hidden / MARKER, json.dumps(marker).encode())
    _flush(hidden)


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class _Remembering:
    """A file for torch.save, which turns every failure of the disk into a RuntimeError: this gives the OSError back."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("wb")
        self.problem: OSError | None = None

    def write(self, content: bytes) -> int:
        try:
            return self.file.write(content)
        except OSError as problem:
            self.problem = problem
            raise

    def flush(self) -> None:
        self.file.flush()

    def __enter__(self) -> _Remembering:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.file.flush()
                os.fsync(self.file.fileno())
        finally:
            try:
                self.file.close()
            except OSError as problem:  # closing writes what is still buffered, and fails again
                self.problem = self.problem or problem
        if self.problem is not None:
            raise self.problem


def _full(folder: Path, step: int, problem: OSError) -> str:
    free = f"no space is left in {folder} ({shutil.disk_usage(folder).free / 1e6:.0f} MB free)"
    what = f"the disk quota of {folder} is used up" if problem.errno == errno.EDQUOT else free
    return f"{what}, so the checkpoint of step {step} was not saved; {standing(folder)}"


def standing(folder: Path) -> str:
    """What a run that ends now can continue from, in words."""
    try:
        there = complete(folder)
    except OSError:
        there = []
    return f"the checkpoint of step {step_of(there[-1])} is kept" if there else "there is no earlier checkpoint"


def _prune(folder: Path, *, keep: int, best: str | None) -> None:
    there = complete(folder)
    kept = set(there[-max(keep, 1) :])
    if best is not None:
        measured = [(measures_of(path)[best], path) for path in there if best in measures_of(path)]
        kept |= {max(measured)[1]} if measured else set()
    for path in sorted({*there, *folder.glob(".step_*")} - kept):
        hidden = path.with_name(f".{path.name.lstrip('.')}")
        path.replace(hidden)  # at no moment is there a checkpoint that looks complete and lacks a file
        shutil.rmtree(hidden)
