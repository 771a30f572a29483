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
class Start:
    """What the command that starts a run allows, and the words of it that a later command needs again."""

    from_scratch: bool = False  # steps may be recorded of which no checkpoint is left
    changed_data: bool = False  # the images may be others than those of the checkpoint
    stale_stop: int = 0  # the mark of a request to stop that is older than this start
    words: str = ""


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
    start: Start = Start()
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
