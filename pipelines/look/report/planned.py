"""The values of a spec that change during the run, step by step: momenta, temperatures, loss weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sslgraph.read.spec import Loss, Part
from sslgraph.schedules import Clock, is_schedule, schedule

from .records import Points, Record

POINTS = 120


def planned(record: Record) -> dict[str, Points]:
    """The schedule of every setting that moves, under its path; nothing if the run did not note how long it is."""
    told = record.starts[-1] if record.starts else {}
    if not (told.get("total_steps") and told.get("steps_per_epoch")):
        return {}
    clock = Clock(int(told["steps_per_epoch"]), int(told["total_steps"]))
    last = clock.total_steps - 1
    steps = sorted({round(i * last / POINTS) for i in range(POINTS + 1)})
    return {
        name: [(float(step), float(schedule(value).at(step, clock))) for step in steps]
        for name, value in _moving(record)
        if is_schedule(value)
    }


def _moving(record: Record) -> Iterator[tuple[str, Any]]:
    method, losses = record.method, record.loss_specs
    for name, target in method.averages.items():
        yield f"{name}.momentum", target.momentum
    parts: dict[str, Part | Loss] = {**method.nets, **method.state, **method.ops, **losses}
    for name, part in parts.items():
        yield from ((f"{name}.{setting}", value) for setting, value in part.settings.items())
    yield from ((f"{name}.weight", loss.weight) for name, loss in losses.items())
