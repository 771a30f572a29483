"""Does one stage of a pipeline, and says what it found."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from sslgraph.files import write_whole
from sslgraph.read.load import load_recipe

from ..check.request import request
from ..record.display import length
from . import artefact
from .kinds.stage_kinds import KINDS
from .kinds.work import DATA, IMAGES, Work
from .stage_plan import Planned

Say = Callable[[str], None]


def leave_no_empty(folder: Path) -> None:
    """Removes the folder of a stage that wrote nothing, and that of the pipeline if nothing else is in it."""
    for empty in (folder, folder.parent):
        with suppress(OSError):  # something is in it, or it is gone already
            empty.rmdir()


def before(stage: Planned) -> str:
    """What is said of a stage that is done already."""
    return f"{stage.name}: done before, {stage.folder}"


def begins(stage: Planned) -> str:
    """What is said of a stage before it is done."""
    return f"{stage.name}: {'continues' if stage.state == 'begun' else 'starts'} ({stage.stage.do}), {stage.folder}"


def do(stage: Planned, by_name: Mapping[str, Planned], say: Say, plugins: tuple[str, ...]) -> None:
    """Does a stage whose inputs are done; `by_name` has those of them that are stages."""
    say(begins(stage))
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
