"""What a run prints and writes before its first step: the resolved recipe, and where it runs.

Nothing is written before the folder is held and its checkpoint is known to be of this run.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sslgraph.amounts import counted
from sslgraph.files import whole_file

from ...feed.portion import portion
from ...storage import checkpoint, provenance
from ..run import Run

RECIPE = "recipe.yaml"  # the recipe as its author wrote it
FILE = "introduction.txt"
LANDMARKS = {"chance": "when guessing", "collapsed": "when collapsed"}


def words(run: Run, *, title: str, is_compiled: bool) -> list[str]:
    """The lines about a run that is ready to go."""
    facts, clock = run.facts, run.clock
    pieces = f"{facts['ranks']} x {facts['accumulate']} x {facts['batch'] // facts['ranks'] // facts['accumulate']}"
    return [
        f"{title}: {facts['trained_parameters']:,} trained parameters, {facts['device']}, {facts['precision']}",
        f"chosen for this machine: {run.forms}" + (f" ({run.forms.why})" if run.forms.why else ""),
        f"{portion(run.feed.source)}, batch {facts['batch']} (ranks x accumulation x images: {pieces}), "
        f"{counted(clock.steps_per_epoch, 'step')} an epoch, "
        f"{counted(clock.total_steps / clock.steps_per_epoch, 'epoch')}, {counted(clock.total_steps, 'step')}",
        *(f"loss {name}: {_landmarks(values)}" for name, values in run.method.landmarks.items() if values),
        run.optimizer.table(),
        *([_begins(run.begin_with)] if run.begin_with else []),
        *(["torch.compile takes about a minute, once, when a step is first run"] if is_compiled else []),
    ]


def _begins(path: Path) -> str:
    weights = f"begins with the weights of {path.parent.parent} after step {checkpoint.step_of(path)}"
    return f"{weights}; steps, schedules and the optimizer begin anew"


def introduce(run: Run, saved: int | None) -> None:
    """Says and writes down what is started, and from where: `saved` steps, or the beginning."""
    provenance.note(run.folder, run.facts)
    _keep(run, checkpoint.TEXT, run.text)
    if run.recipe_text and not (run.folder / RECIPE).is_file():
        _keep(run, RECIPE, run.recipe_text)
    place = f"run {run.address}" if run.address else f"run folder {run.folder}"
    place += "" if saved is None else f", continues after step {saved}"
    text = "\n".join([*run.introduction, place])
    _keep(run, FILE, f"{text}\n")
    run.record.display.say(text)


def _keep(run: Run, name: str, text: str) -> None:
    file, content = run.folder / name, text.encode(errors="surrogateescape")  # a path may hold any bytes
    if not file.is_file() or file.read_bytes() != content:
        whole_file.put(file, content)


def _landmarks(values: Mapping[str, Any]) -> str:
    """What values of a loss mean something, in words."""
    named = ((value, LANDMARKS.get(name, f"when {name.replace('_', ' ')}")) for name, value in values.items())
    return "about " + ", ".join(f"{value:.3g} {words}" for value, words in named)
