"""Watches every edge now and then: features, prototypes, queues. Numbers reach the host with the losses."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from sslgraph import collectives
from sslgraph.compile.compile import CompiledMethod
from sslgraph.schedules import Clock
from sslgraph.settle.edges import Edge

from .diagnosis import Finding, diagnose
from .record import Record
from .vitals import effective_rank, pair, rows_of, vitals

PREFIX = "monitor/"
LOOKS = 3  # in all of which a thing must be wrong


class Monitor:
    """Looks at a method now and then, on the first rank and at its own rows: no message, no waiting.

    `watch` before the forward of a step tells the method to keep what goes over its edges; `look` after it makes
    numbers of that. They stay on the device until `fetch`, which the record calls when it brings losses to the host.
    Names are monitor/EDGE/std, .../cosine, .../rank, and .../align and .../uniform where there are two views;
    monitor/LOSS/NAME for what a loss says of itself; monitor/QUEUE/age, in steps.
    """

    def __init__(self, method: CompiledMethod, every: int, record: Record, clock: Clock) -> None:
        self.method, self.every, self.record, self.clock = method, every, record, clock
        record.more = self.fetch
        self.is_first = collectives.rank() == 0
        self.latest: list[dict[str, float]] = []
        self._waiting: list[tuple[int, dict[str, Tensor]]] = []
        self._ages = queue_ages(method)
        self._told: set[str] = set()
        self._losses: list[dict[str, float]] = []  # at the latest calls of `warn`

    def watch(self, step: int) -> None:
        """Makes the method keep its edges in this step: the first one, every `every`-th, and the last few."""
        is_due = step == 1 or (self.every and step % self.every == 0) or step > self.clock.total_steps - LOOKS
        if self.is_first and self.every and is_due:
            self.method.watch.ask()

    @torch.no_grad()
    def look(self, step: int) -> None:
        """Notes the state of the edges after `step` steps, if they were kept."""
        if not self.method.watch.seen:
            return
        found: dict[str, Tensor] = {}
        with torch.autocast(next(iter(self.method.watch.seen.values())).device.type, enabled=False):
            for edge in self.method.watch.edges:
                found |= {f"{edge.name}/{name}": value for name, value in self._edge(edge).items()}
            for loss, said in self.method.watch.losses().items():
                found |= {f"{loss}/{name}": value for name, value in said.items()}
        self._waiting.append((step, found))
        self.method.watch.seen = {}

    def fetch(self) -> dict[int, dict[str, float]]:
        """What was noted since the last call, by step."""
        looks: dict[int, dict[str, float]] = {}
        for step, found in self._waiting:
            look = looks[step] = {}
            for name, value in found.items():
                key = f"{PREFIX}{name.removesuffix('gram')}"
                look |= {f"{key}rank": effective_rank(value.cpu())} if name.endswith("gram") else {key: value.item()}
            look |= {f"{PREFIX}{name}/age": min(step, age) for name, age in self._ages.items()}
        self._waiting.clear()
        self.latest = [*self.latest, *looks.values()][-LOOKS:]
        return looks

    def findings(self, step: int) -> tuple[Finding, ...]:
        """What the latest looks and losses mean after `step` steps; nothing in the first fifth of a run."""
        is_early = step < self.clock.total_steps / 5 or len(self.latest) < LOOKS
        if not self.is_first or (is_early and step < self.clock.total_steps):
            return ()
        return diagnose(self.method, self.latest, self.record.losses, step, self.clock, before=self._losses)

    def warn(self, step: int) -> None:
        """Says what is found, each thing once."""
        self._losses = [*self._losses, dict(self.record.losses)][-LOOKS:]
        for finding in self.findings(step):
            if finding.place not in self._told:
                self._told.add(finding.place)
                self.record.display.say(f"warning at step {step}: {finding}")

    def _edge(self, edge: Edge) -> dict[str, Tensor]:
        features = self.method.watch.seen[edge.tensor]
        found = vitals(rows_of(features))
        if edge.views > 1:
            one, other = features.unflatten(0, (edge.views, -1))[:2]
            return found | pair(rows_of(one), rows_of(other))
        if edge.other is not None and features.ndim == 2:
            return found | pair(rows_of(features), rows_of(self.method.watch.seen[edge.other]))
        return found


def queue_ages(method: CompiledMethod) -> dict[str, int]:
    """How many steps old the oldest row of each queue is once the queue is full."""
    ages: dict[str, int] = {}
    training = method.sized.training
    for sized in training.writes:
        size: Any = method.sized.settings[sized.write.box].get("size")
        if isinstance(size, int) and sized.inputs:
            rows = training.tensors[sized.inputs[0][1].tensor].shape[0] // sized.inputs[0][1].views
            ages[sized.write.box] = max(1, size // rows)
    return ages
