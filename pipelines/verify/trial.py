"""Trains a few steps of a method at a tiny size, on one process or several, with the code that trains; keeps all.

Doubles take the place of floats, so that what is left of a difference is mathematics and not rounding.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sslgraph import collectives
from sslgraph.ranks import sharding
from sslgraph.torch_compat import BatchNorm

from ..train import loop, saving
from ..train.run import Run
from ..train.start import starting
from ..train.start.prepare import prepare

Named = dict[str, Tensor]


@dataclass(frozen=True)
class Trial:
    """What is tried: a request as `prepare` takes it, and in which numbers.

    `saved_at` writes a checkpoint after that many steps and continues; a trial whose folder holds one starts from it.
    """

    cfg: Mapping[str, Any]
    steps: int
    is_double: bool = True
    fixed_norm: bool = False  # BatchNorm with the statistics it starts from: rows do not meet in it
    saved_at: int = 0
    watched: int = 3  # steps from the first on of which everything is remembered


@dataclass
class Seen:
    """What a trial did on this rank: averaged gradients before clipping, and all that is kept, after every step."""

    gradients: list[Named] = field(default_factory=list)
    states: list[Named] = field(default_factory=list)
    optimizer: list[Named] = field(default_factory=list)
    last: Named = field(default_factory=dict)  # weights and states behind the last step
    last_optimizer: Named = field(default_factory=dict)
    strays: dict[str, float] = field(default_factory=dict)  # what differs between the ranks at the end, by how much
    norms: tuple[str, ...] = ()  # the parts that hold a BatchNorm
    drawing: tuple[str, ...] = ()  # the parts that draw from torch's generator in a step


def see(trial: Trial) -> Seen:
    """Runs a trial on the ranks there are; all of them call it."""
    cfg = trial.cfg
    if trial.is_double:
        cfg = {**cfg, "overrides": {**cfg["overrides"], "precision": "float64"}}
    run, seen = prepare(cfg), Seen()

    def watch(gradients: Mapping[str, Tensor]) -> None:
        if len(seen.gradients) < trial.watched:
            seen.gradients.append(_copied(sharding.whole(gradients, everywhere=True)))

    run.optimizer.watch = watch
    seen.norms = tuple(name for name, part in run.method.parts.items() if _norms(part))
    drawing = _drawing(run)
    try:
        for done in loop.steps(run, _start(run, trial), trial.steps):
            if len(seen.states) < trial.watched:
                seen.states.append(_copied(_weights(run)))
                seen.optimizer.append(_copied(_momenta(run)))
            if done == trial.saved_at:
                saving.save(run, done)
    finally:
        run.record.abandon()
    seen.drawing = tuple(sorted(drawing))
    seen.last, seen.last_optimizer = _weights(run), _momenta(run)
    seen.strays = _strays(seen.last)
    return seen


def _weights(run: Run) -> Named:
    return sharding.whole(run.method.state_dict(), everywhere=True)


def _momenta(run: Run) -> Named:
    return _flat(sharding.whole(run.optimizer.state_dict(), everywhere=True))


def copied_checkpoint(folder: Path, to: Path) -> None:
    """Copies the checkpoint of a trial into the folder of a trial that continues from it. The first rank does it."""
    if collectives.rank() == 0:
        shutil.copytree(folder / "checkpoints", to / "checkpoints")
    collectives.barrier()


def _start(run: Run, trial: Trial) -> int:
    saved = starting.resume(run)
    _fix_norms(run, trial)
    return saved.step if saved else 0


def _fix_norms(run: Run, trial: Trial) -> None:
    if trial.fixed_norm:  # at every call: after a pass over the data set all parts are put into train mode
        for part in run.method.parts.values():
            for layer in _norms(part):
                layer.register_forward_pre_hook(_in_eval_mode)


def _drawing(run: Run) -> set[str]:
    """The parts whose calls move torch's generator within a training step; the set fills during the run."""
    found, before = set[str](), dict[str, Tensor]()

    def enter(name: str) -> None:
        before[name] = torch.get_rng_state()

    def leave(name: str) -> None:
        if run.method.training and not torch.equal(before[name], torch.get_rng_state()):
            found.add(name)

    for name, part in run.method.parts.items():
        part.register_forward_pre_hook(lambda _, __, name=name: enter(name))
        part.register_forward_hook(lambda _, __, ___, name=name: leave(name))
    return found


def _in_eval_mode(layer: torch.nn.Module, _: Any) -> None:
    layer.eval()


def _norms(part: torch.nn.Module) -> list[BatchNorm]:
    return [layer for layer in part.modules() if isinstance(layer, BatchNorm)]


def _copied(tensors: Mapping[str, Tensor]) -> Named:
    return {name: value.detach().clone() for name, value in tensors.items()}


def _flat(state: Mapping[str, Mapping[str, Any]]) -> Named:
    """What an optimizer remembers, as "exp_avg of f.conv1.weight"."""
    return {f"{key} of {name}": number for name, remembered in state.items() for key, number in _numbers(remembered)}


def _numbers(remembered: Any, under: str = "") -> Iterator[tuple[str, Tensor]]:
    """Every number of a memory by its name; those of lists and mappings in it, too, which own optimizers may keep."""
    inner = enumerate(remembered) if isinstance(remembered, list | tuple) else None
    pairs = remembered.items() if isinstance(remembered, Mapping) else inner
    if pairs is not None:
        for key, value in pairs:
            yield from _numbers(value, f"{under}.{key}" if under else str(key))
    elif isinstance(remembered, Tensor | int | float):
        yield under, torch.as_tensor(remembered)


def _strays(state: Named) -> dict[str, float]:
    """The tensors that are not the same on all ranks, with their distance from the first rank's."""
    found = {}
    for name, mine in state.items():
        first = collectives.broadcast(mine.double())
        distance = collectives.all_sum((mine.double() - first).abs().sum())
        if distance > 0:
            found[name] = float(distance)
    return found
