"""What changes between steps: targets follow their nets, and settings follow their schedules."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from sslgraph.ranks.sharding import mine
from sslgraph.read.spec import Snapshot
from sslgraph.schedules import Clock, Schedule, duration, is_schedule, schedule
from sslgraph.torch_compat import foreach_lerp_


class Follower:
    """Moves a target's parameters towards its net's: target <- m * target + (1 - m) * net.

    Buffers are the target's own.
    """

    def __init__(self, *, target: nn.Module, net: nn.Module, momentum: Any) -> None:
        self.momentum: Schedule = schedule(momentum)
        self.target, self.net = target, net

    @property
    def pairs(self) -> list[tuple[Tensor, Tensor]]:
        """Each parameter of the target beside the one it follows; of shared ones, the slices held here.

        Looked up at every move: sharing weights out puts new parameters in the places of the old.
        """
        source = dict(self.net.named_parameters())
        return [(mine(p.detach()), mine(source[n].detach())) for n, p in self.target.named_parameters() if n in source]

    @torch.no_grad()
    def copy(self) -> None:
        """Makes the target equal to its net."""
        for own, theirs in self.pairs:
            own.copy_(theirs)

    @torch.no_grad()
    def follow(self, step: int, clock: Clock) -> None:
        """One move, with the weights that the optimizer's step has just written."""
        momentum = self.momentum.at(step, clock)
        own, theirs = zip(*self.pairs, strict=True)
        foreach_lerp_(own, theirs, 1.0 - momentum)


class Taker:
    """Makes a target equal to what it is a snapshot of, buffers included, after the steps that its text says."""

    def __init__(self, *, target: nn.Module, source: nn.Module, spec: Snapshot) -> None:
        self.target, self.source, self.spec = target, source, spec

    @torch.no_grad()
    def copy(self) -> None:
        """Takes the snapshot."""
        theirs = self.source.state_dict()
        for name, own in self.target.state_dict().items():
            if name in theirs:
                mine(own).copy_(mine(theirs[name]))

    def follow(self, step: int, clock: Clock) -> None:
        """Takes it if this step is one of those; `step` counts from 0."""
        if taken_after(self.spec, step + 1, clock):
            self.copy()


def taken_after(spec: Snapshot, done: int, clock: Clock) -> bool:
    """Whether a snapshot is taken after this number of steps."""
    every = max(1, round(duration(spec.every).steps(clock))) if spec.every else 0
    first = round(duration(spec.start).steps(clock)) if spec.start else every
    taken, past = divmod(done - first, every) if every else (0, done - first)
    return past == 0 and taken >= 0 and (spec.at_most is None or taken < spec.at_most)


class ScheduledSetting:
    """A part's setting that moves over the run: a 0-d buffer under the setting's name, refilled before each step."""

    def __init__(self, *, part: nn.Module, name: str, value: Any) -> None:
        self.schedule = schedule(value)
        first = torch.tensor(self.schedule.first, dtype=torch.float32)
        if hasattr(part, name):
            delattr(part, name)
        part.register_buffer(name, first, persistent=False)
        self.part, self.name = part, name

    def fill(self, step: int, clock: Clock) -> None:
        """Sets the value that this step works with."""
        buffer: Tensor = getattr(self.part, self.name)
        buffer.fill_(self.schedule.at(step, clock))


def scheduled(part: nn.Module, settings: dict[str, Any]) -> list[ScheduledSetting]:
    """The settings of a part that a spec wrote as schedules, made into buffers."""
    moving = {name: value for name, value in settings.items() if is_schedule(value)}
    return [ScheduledSetting(part=part, name=name, value=value) for name, value in moving.items()]
