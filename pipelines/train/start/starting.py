"""Starts a run in its folder: from its newest checkpoint, or from nothing where no step was done."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import torch
import yaml

from sslgraph import collectives
from sslgraph.errors import SslgraphError
from sslgraph.ranks import sharding
from sslgraph.read.resolved import leaves

from ...storage import checkpoint, interrupt, metrics_file, run_folder
from ...storage.checkpoint import Checkpoint
from .. import summary
from ..run import Run
from . import bounds, fingerprint
from .introduction import introduce


def start(run: Run) -> tuple[int, bool]:
    """Puts the run where its newest checkpoint left it, and writes down that it starts.

    Gives the steps done, and whether a checkpoint of this very state stands: a run that begins has none, and the one of
    a run that continues with other images is to be written anew.
    """
    run_folder.by_the_first(run.device, lambda: _tidy(run))
    fingerprint.refuse_unequal_ranks(run)
    saved = resume(run)
    step = saved.step if saved else 0
    if saved:
        _refuse_impossible(run, step)
    if collectives.rank() == 0:
        introduce(run, step if saved else None)
        _say_what_changed(run, saved)
        if step < run.clock.total_steps:
            (run.folder / summary.NAME).unlink(missing_ok=True)  # of a run that was shorter
    return step, saved is not None and not _changed(run, saved)


def resume(run: Run) -> Checkpoint | None:
    """Loads the newest checkpoint and returns it; None where there is none."""
    there = checkpoint.complete(run.checkpoints)
    newest = checkpoint.step_of(there[-1]) if there else -1
    # Shared storage may show a folder to one rank sooner than to another: all take what the first one sees.
    step = int(collectives.broadcast(torch.tensor(newest, device=run.device)))
    if step < 0:
        return None
    path = run.checkpoints / f"step_{step:08d}"
    saved = checkpoint.load(path)
    has_moved = fingerprint.HASH in saved.run.get("data", {}) and _is_the_same_but_for_data(saved.text, run.text)
    if saved.text != run.text and not has_moved:
        raise SslgraphError(
            f"{run.folder} holds another run: {other_settings(saved.text, run.text)}; choose another folder with --out,"
            f" or continue that run: sslgraph train --resume {run.place}"
        )
    if (changed := _changed(run, saved)) and not run.start.changed_data:
        raise SslgraphError(
            f"{path} was trained on other images: {changed}; restore them, choose another folder with --out, or "
            "continue with these and --changed-data"
        )
    _load(run, saved, path)
    run.optimizer.load_state_dict(saved.optimizer)
    run.record.measures |= saved.measures
    run.record.losses |= saved.run.get("losses", {})
    run.feed.balance(run.method.sample_labels())
    return saved


def begin(run: Run) -> None:
    """The weights and states of another run, where the recipe says begin_with; optimizer and schedules begin anew."""
    if run.begin_with is not None:
        _load(run, checkpoint.load(run.begin_with), run.begin_with)


def begin_of(place: str | None) -> Path | None:
    """The checkpoint that `begin_with` means: itself, or the newest of a run folder."""
    if place is None:
        return None
    there = checkpoint.complete(Path(place) / "checkpoints") or checkpoint.complete(Path(place).parent)
    found = [path for path in there if path == Path(place) or path.parent.parent == Path(place)]
    if not found:
        raise SslgraphError(f"{place} holds no complete checkpoint; give a run folder, or a folder of its checkpoints/")
    return found[-1]


def _load(run: Run, saved: Checkpoint, path: Path) -> None:
    try:
        run.method.load_state_dict(sharding.cut(saved.method, like=run.method.state_dict()))
    except RuntimeError as wrong:
        reason = str(wrong).splitlines()[-1].strip()
        raise SslgraphError(f"the weights in {path} do not fit this method: {reason}") from wrong


def _is_the_same_but_for_data(then: str, now: str) -> bool:
    """Whether the images of a run may have moved: whether they are the same ones, their fingerprint judges."""
    return all(path.startswith("data.") for path in _different(_flat(then), _flat(now)))


def other_settings(then: str, now: str) -> str:
    """The values in which two resolved texts differ, in words."""
    old, new = _flat(then), _flat(now)
    paths = _different(old, new)
    words = [f"{path} was {old.get(path, 'not given')}, and is {new.get(path, 'not given')} here" for path in paths]
    more = f", and {len(words) - 3} more" if len(words) > 3 else ""
    return "; ".join(words[:3]) + more if words else "its text is written differently"


def _flat(text: str) -> dict[str, Any]:
    return {path: value for path, value in leaves(yaml.safe_load(text)) if value != {}}


def _different(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return [path for path in {**old, **new} if old.get(path) != new.get(path)]


def _changed(run: Run, saved: Checkpoint) -> str:
    return fingerprint.difference(saved.run.get("data", {}), run.data)


def _tidy(run: Run) -> None:
    """Finishes what a killed run left half done. Recorded steps without a checkpoint are not thrown away unasked."""
    interrupt.withdraw(run.folder, run.start.stale_stop)
    checkpoint.adopt(run.checkpoints)
    if checkpoint.complete(run.checkpoints):
        return
    recorded = metrics_file.last_step(run.folder)
    if recorded and not run.start.from_scratch:
        raise SslgraphError(
            f"{run.folder} has a record of {recorded} steps and no checkpoint: its checkpoints were removed or lost; "
            "restore them, choose another folder with --out, or begin again at step 0 with --from-scratch"
        )
    for file in (run.folder / metrics_file.NAME, run.folder / summary.NAME):
        if file.is_file():
            file.unlink()
    shutil.rmtree(run.folder / "tensorboard", ignore_errors=True)


def _say_what_changed(run: Run, saved: Checkpoint | None) -> None:
    if saved and (changed := _changed(run, saved)):
        run.record.display.say(f"continues with other images (--changed-data): {changed}")
    if saved and (holes := metrics_file.missing(run.folder, saved.step)):
        lost = f"{metrics_file.NAME} has no whole line for steps {holes} of {saved.step}"
        run.record.display.say(f"{lost}: their numbers are lost, and the weights are not")


def _refuse_impossible(run: Run, step: int) -> None:
    fault, path = None, run.checkpoints / f"step_{step:08d}"
    try:
        if step > run.clock.total_steps:
            raise SslgraphError(
                f"{path} is beyond the end of this run, which has {run.clock.total_steps} steps: it was trained with "
                "more images or more steps; restore them, or choose another folder with --out"
            )
        bounds.refuse_impossible(run.method, run.optimizer.state_dict(), path)
    except SslgraphError as impossible:
        fault = impossible
    run_folder.agree(fault, run.device)
