"""A run that is ready to start: everything that the loop uses, however it was made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from sslgraph.compile.compile import CompiledMethod
from sslgraph.read.load import load_recipe
from sslgraph.read.loaded import Loaded
from sslgraph.read.spec import Recipe
from sslgraph.schedules import Clock

from ..feed.feed import Feed
from ..machine.chosen_forms import Forms
from ..optimize.optimizer import Optimizer
from ..record.monitor import Monitor
from ..record.record import Record, Span
from ..storage import run_folder

Measures = Mapping[str, float]
Measure = Callable[[nn.Module], Measures]
Report = Callable[[Path, Measures], None]


@dataclass(frozen=True)
class Config:
    """What a run is asked for, in plain values that travel between processes."""

    recipe: str = ""  # a name, a file, or a text of several lines
    overrides: Mapping[str, Any] = field(default_factory=dict)
    plugins: tuple[str, ...] = ()
    out: str | None = None  # run folder or address (s3://bucket/run); default runs/<recipe>-seed<seed>-<time>
    address: str = ""  # where the run is kept, if `out` is a copy of it
    local_rank: int = 0  # which of its machine's processes this one is
    processes: int = 1  # how many of them there are
    profile: bool = False  # look at a few steps: where their time goes
    from_scratch: bool = False  # begin at step 0 although steps are recorded and no checkpoint is left
    changed_data: bool = False  # continue although the images are not those of the checkpoint
    stale_stop: int = 0  # a request to stop that stood in the folder before this start, by its mark

    @property
    def words(self) -> str:
        """The words of the command line that a later command needs again."""
        return "".join(f" --plugin {plugin}" for plugin in self.plugins)

    def load(self) -> Loaded[Recipe]:
        """The recipe, with what the command line says put in."""
        return load_recipe(self.recipe, self.overrides)


@dataclass
class Run:
    """The loop's world. `model` is what is called: the method, or DDP around it."""

    folder: Path
    text: str  # the resolved recipe and method
    seed: int
    method: CompiledMethod
    model: nn.Module
    optimizer: Optimizer
    feed: Feed
    record: Record
    clock: Clock
    device: torch.device
    forms: Forms = field(default_factory=lambda: Forms("float32"))
    evaluate: Measure | None = None
    baseline: Measure | None = None  # measured once, before the first step
    evaluate_every: int = 0  # steps; 0: only at the end
    checkpoint_every: int = 0  # steps; 0: only at the start and at the end
    checkpoint_pause: float = 0.0  # seconds between two checkpoints besides
    keep: int = 2
    best: str | None = None
    monitor: Monitor | None = None  # looks at the method now and then
    report: Report | None = None  # gets every checkpoint but the first, on all ranks
    start: Config = Config()
    introduction: Sequence[str] = ()  # what is said before the first step
    begin_with: Path | None = None  # the checkpoint of another run, with whose weights it begins
    recipe_text: str = ""  # the recipe's file, before anything is resolved
    data: Mapping[str, Any] = field(default_factory=dict)  # the fingerprint of its images
    address: str = ""  # where it is kept, if the folder is a copy of it
    facts: dict[str, Any] = field(default_factory=dict)  # what is in the summary besides measures
    span: Span = nullcontext  # around each stretch of a step, by name: a profile times them

    @property
    def precision(self) -> torch.dtype:
        """What it multiplies in."""
        return self.forms.dtype

    @property
    def checkpoints(self) -> Path:
        """The folder of its checkpoints."""
        return self.folder / "checkpoints"

    @property
    def place(self) -> str:
        """What a person types to name the run."""
        return self.address or run_folder.shown(self.folder)

    def cast(self) -> AbstractContextManager[Any]:
        """Autocast in the run's precision, if that is a short one: others are the weights' own."""
        return torch.autocast(self.device.type, self.precision, enabled=self.precision == torch.bfloat16)

    def quietly(self, is_last: bool) -> AbstractContextManager[Any]:
        """Between micro-batches ranks do not talk: gradients are averaged once, with the last one."""
        if isinstance(self.model, DistributedDataParallel) and not is_last:
            return self.model.no_sync()
        return nullcontext()
