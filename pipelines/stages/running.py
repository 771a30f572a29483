"""Runs the stages of a pipeline in order: done ones are skipped, and a failed one does not stop the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sslgraph.errors import SslgraphError, unknown
from sslgraph.files import write_whole
from sslgraph.read.load import load_recipe

from ..check.request import request
from ..record.display import length
from . import artefact
from .kinds.stage_kinds import KINDS
from .kinds.work import DATA, IMAGES, Work
from .stage_plan import Planned

Say = Callable[[str], None]


def run(stages: Sequence[Planned], say: Say, *, only: Collection[str] = (), plugins: tuple[str, ...] = ()) -> None:
    """Makes what is not made; an interrupted training continues. SslgraphError if a stage failed, after all others."""
    by_name, failed = {stage.name: stage for stage in stages}, dict[str, str]()
    refuse_strange(stages, only)
    plugins = tuple(dict.fromkeys([*plugins, *(one for stage in stages for one in stage.request.get("plugins", ()))]))
    for stage in stages:
        if only and not {stage.name, stage.base} & set(only):
            continue
        if stage.state == "done":
            say(f"{stage.name}: done before, {stage.folder}")
            continue
        lacks = [other for other in stage.inputs.values() if other in by_name and by_name[other].state != "done"]
        if lacks:
            failed[stage.name] = f"waits for {lacks[0]}"
            say(f"{stage.name}: {failed[stage.name]}, which is not done")
            continue
        try:
            _do(stage, by_name, say, plugins)
        except SslgraphError as wrong:
            failed[stage.name] = str(wrong)
            _leave_no_empty(stage.folder)
            say(f"{stage.name}: failed: {wrong}")
    if failed:
        told = "; ".join(f"{name}: {problem.splitlines()[0]}" for name, problem in failed.items())
        raise SslgraphError(f"{len(failed)} of {len(stages)} stages are not done: {told}")


def refuse_strange(stages: Sequence[Planned], only: Collection[str]) -> None:
    """SslgraphError if a name of `only` is that of no stage."""
    known = dict.fromkeys(name for stage in stages for name in (stage.base, stage.name))
    if strange := [name for name in only if name not in known]:
        raise SslgraphError(str(unknown((), "--only: there is no stage", strange[0], known)))


def _leave_no_empty(folder: Path) -> None:
    """Removes the folder of a stage that wrote nothing, and that of the pipeline if nothing else is in it."""
    for empty in (folder, folder.parent):
        with suppress(OSError):  # something is in it, or it is gone already
            empty.rmdir()


def _do(stage: Planned, by_name: dict[str, Planned], say: Say, plugins: tuple[str, ...]) -> None:
    say(f"{stage.name}: {'continues' if stage.state == 'begun' else 'starts'} ({stage.stage.do}), {stage.folder}")
    start = time.monotonic()
    inputs = {word: by_name[other].folder if other in by_name else Path(other) for word, other in stage.inputs.items()}
    if stage.inputs.get(DATA) in by_name:
        inputs[DATA] /= IMAGES
    asked = _asked(stage, inputs) if stage.request else {}
    with write_whole.told(stage.folder, "--out"):
        stage.folder.mkdir(parents=True, exist_ok=True)
    recipe = load_recipe(asked["recipe"], asked["overrides"]) if asked and DATA in inputs else stage.recipe
    work = Work(stage.name, stage.stage, stage.folder, inputs, asked, recipe, plugins, stage.gathered)
    try:
        facts = KINDS[stage.stage.do].run(work)
    except SystemExit as stopped:  # a training that was asked to stop has saved itself
        raise SystemExit(f"{stopped}\nor the whole pipeline, by the same command as before") from None
    seconds = time.monotonic() - start
    artefact.finish(stage.folder, stage.sources, {"do": stage.stage.do, "seconds": round(seconds, 1), **facts})
    say(f"{stage.name}: done in {length(seconds)}{words(facts)}")


def _asked(stage: Planned, inputs: Mapping[str, Path]) -> dict[str, Any]:
    """The request of a training, with the weights that it is given and the images of an earlier stage."""
    told = stage.request["overrides"] | {f"given.{word}": str(inputs[word]) for word in stage.stage.given}
    if DATA not in inputs:
        return {**stage.request, "overrides": told}
    return request(
        stage.request["recipe"], data=str(inputs[DATA]), plugins=tuple(stage.request["plugins"]), overrides=told
    )


def words(facts: dict[str, object]) -> str:
    """What a stage has found, behind its name."""
    found = [f"{name} {value:.1%}" for name, value in facts.items() if isinstance(value, float) and 0 <= value <= 1]
    return f"; {', '.join(found)}" if found else ""
