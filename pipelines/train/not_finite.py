"""A loss that is NaN or infinite stops the run: the first such edge is named, and the step is kept for a replay."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from sslgraph import collectives
from sslgraph.compile.compile import CompiledMethod

from ..feed.feed import Batch
from ..record.record import CURE, NotFiniteError
from ..storage import checkpoint
from ..storage.checkpoint import Checkpoint
from .run import Run

FAULT = "fault.json"
FOLDER = "not_finite_step_"
AT_ONCE = "no step was done before, so it is the part or the images, and not the learning rate"


@dataclass(frozen=True)
class Bad:
    """The first value of a step that is not finite: its name in the program, what made it, and what went in."""

    value: str
    made_by: str
    inputs: Mapping[str, str]

    def __str__(self) -> str:
        given = ", ".join(f"{name} {says}" for name, says in self.inputs.items())
        return f"first at '{self.value}' ({self.made_by})" + (f", made of {given}" if given else "")


def refuse(run: Run, losses: Mapping[str, Tensor], step: int) -> None:
    """Stops before the step moves anything, where looking costs nothing: one process, whose device does not run ahead.

    Elsewhere the record finds it when it fetches losses, on all ranks together.
    """
    if run.device.type != "cpu" or collectives.ranks() > 1:
        return
    for name, loss in losses.items():
        if not loss.isfinite():
            run.record.fetch()  # the steps before it were right
            raise NotFiniteError(f"the loss '{name}' is {loss.item()} at step {step + 1}", step)


def keep(run: Run, bad: NotFiniteError) -> str:
    """Writes a folder for `replay` into the run folder, and says in words what happened and what there is.

    It holds the text, the images' indices, and the newest state from which the step can be reached: that of the step
    itself, if nothing has moved since, else the newest checkpoint. Earlier checkpoints stay as they are.
    """
    folder = run.folder / f"{FOLDER}{bad.done + 1:08d}"
    good = checkpoint.complete(run.checkpoints)
    found = None
    if collectives.ranks() == 1 and run.device.type == "cpu" and "loss" in bad.message:
        found = first_bad(run, bad.done)
    if collectives.rank() == 0:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        if found is not None:
            about = {"seed": run.seed, "forms": run.forms.record()}
            state = Checkpoint(run.text, bad.done, run.method.state_dict(), run.optimizer.state_dict(), about)
            checkpoint.save(folder / "checkpoints", state)
        elif good:
            shutil.copytree(good[-1], folder / "checkpoints" / good[-1].name)
        fault = {
            "step": bad.done + 1,
            "message": bad.message,
            "first": str(found or ""),
            "indices": _indices(run, bad.done),
        }
        (folder / checkpoint.TEXT).write_text(run.text)
        (folder / FAULT).write_text(json.dumps(fault, indent=2) + "\n")
    last = f"the last good checkpoint is {good[-1]}" if good else "there is no earlier checkpoint"
    first = f": {found}" if found else ""
    cure = CURE if bad.done else AT_ONCE
    return f"{bad.message}{first}; {cure}\nsee it again with: sslgraph replay {folder}; {last}"


def first_bad(run: Run, done: int) -> Bad | None:
    """Runs the step behind `done` steps again, value by value, and stops at the first that is not finite."""
    method: nn.Module = run.method
    if not isinstance(method, CompiledMethod):  # a stand-in of a test
        return None
    method.begin(done, run.clock)
    for name, weight in method.named_parameters():
        if not bool(weight.isfinite().all()):
            return Bad(name.removeprefix("parts."), "a weight before the step", {})
    program = method.training_program
    for batch in _pieces(run, done):
        looking = _Looking(program.module, {name: box.use for name, box in method.graph.boxes.items()})
        with run.cast(), torch.no_grad():
            try:
                looking.run(*(batch[key] for key in program.inputs))
            except _Found as found:
                return found.bad
    return None


class _Found(Exception):  # noqa: N818 - it is what is looked for
    def __init__(self, bad: Bad) -> None:
        super().__init__()
        self.bad = bad


class _Looking(fx.Interpreter):
    """Runs a program node by node and stops at the first value that is not finite; `uses` says what a part is."""

    def __init__(self, module: fx.GraphModule, uses: Mapping[str, str]) -> None:
        super().__init__(module)
        self.uses = uses

    def run_node(self, n: fx.Node) -> Any:
        value = super().run_node(n)
        if n.op != "output" and not _is_finite(value):
            made_by = self._maker(n)
            inputs = {source.name: _range(self.env[source]) for source in n.all_input_nodes}
            raise _Found(Bad(n.name, made_by, inputs))
        return value

    def _maker(self, n: fx.Node) -> str:
        if n.op == "placeholder":
            return "a view"
        if n.op == "call_module":
            name = str(n.target)
            use = self.uses.get(name.removeprefix("parts."), "")
            return f"{name}, {use}" if use and name != n.name else use or name
        return str(getattr(n.target, "__name__", n.target))


def _is_finite(value: Any) -> bool:
    tensors = value if isinstance(value, tuple) else (value,)
    return all(bool(t.isfinite().all()) for t in tensors if isinstance(t, Tensor) and t.is_floating_point())


def _range(value: Any) -> str:
    tensor = value[0] if isinstance(value, tuple) else value
    if not isinstance(tensor, Tensor) or not tensor.numel():
        return ""
    low, high = tensor.float().aminmax()
    return f"[{low:.3g}, {high:.3g}]"


def _pieces(run: Run, done: int) -> list[Batch]:
    return next(iter(run.feed.batches(done, done + 1)))


def _indices(run: Run, done: int) -> list[int]:
    """The images of this rank's share of the step."""
    return [int(i) for batch in _pieces(run, done) if "draw" in batch for i in batch["draw"][:, 2]]
