"""Profiles training steps: a table of one screen, and a trace for the profiler's viewers."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile, record_function

from sslgraph.amounts import percent
from sslgraph.errors import SslgraphError

from ..machine.calibration import calibrated
from ..machine.chosen_forms import peak
from .run import Run

WARM, STEPS = 3, 5  # steps that are not looked at, and steps that are
TRACE, TABLE = "trace.json.gz", "profile.txt"


class Stopwatch:
    """Seconds by name. On a GPU it waits for the device at both ends, so steps take longer while it runs."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.seconds: dict[str, float] = {}
        self.is_running = False
        self._since: dict[str, float] = {}

    @contextmanager
    def span(self, name: str) -> Iterator[None]:
        """Times a block; the profiler's trace shows it under its name."""
        since = self._now()
        try:
            with record_function(name):
                yield
        finally:
            self._add(name, since)

    def watch(self, name: str, module: nn.Module) -> list[Any]:
        """Times the calls of a module from now on, until the returned hooks are removed."""
        before = module.register_forward_pre_hook(lambda *_: self._since.update({name: self._now()}))
        after = module.register_forward_hook(lambda *_: self._add(name, self._since.pop(name)))
        return [before, after]

    def _add(self, name: str, since: float) -> None:
        if self.is_running:
            self.seconds[name] = self.seconds.get(name, 0.0) + self._now() - since

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()


def attach(run: Run) -> None:
    """Looks at a few steps of a run, then writes the table and the trace into its folder and leaves it as it was.

    The loop says what it does in spans, and hooks time the parts. Compiled programs are timed as one.
    """
    if run.clock.total_steps < WARM + STEPS:
        looked_at = f"steps {WARM + 1} to {WARM + STEPS}"
        raise SslgraphError(f"--profile looks at {looked_at}, and this run has {run.clock.total_steps}; train longer")
    _Look(run)


class _Look:
    """The spans of a run's first steps."""

    def __init__(self, run: Run) -> None:
        os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # else it complains that there is no GPU
        self.run, self.watch, self.done, self.since = run, Stopwatch(run.device), 0, 0.0
        self.profile = profile(activities=_activities(run.device), acc_events=True)  # else an older torch warns
        self.hooks: list[Any] = []
        from torch.utils.flop_counter import FlopCounterMode  # which no other run needs

        self.counter = FlopCounterMode(display=False)  # over the first step, which is not timed
        self.is_compiled = any(program.compiled for program in run.method.programs.values())
        for name, part in run.method.parts.items() if not self.is_compiled else ():
            kind = "loss" if run.method.graph.boxes[name].section == "losses" else "forward"
            self.hooks += self.watch.watch(f"{kind} {name}", part)
        run.span = run.feed.span = self.span

    @contextmanager
    def span(self, name: str) -> Iterator[None]:
        counts = name == "step" and self.done == 0 and not self.is_compiled
        with self.watch.span(name), self.counter if counts else nullcontext():
            yield
        if name == "step":
            self.done += 1
            if self.done == WARM:
                self.watch.is_running, self.since = True, time.perf_counter()
                self.profile.start()
            elif self.done == WARM + STEPS:
                self._end()

    def _end(self) -> None:
        self.watch.is_running = False
        self.profile.stop()
        self.run.span = self.run.feed.span = nullcontext
        for hook in self.hooks:
            hook.remove()
        run, whole = self.run, time.perf_counter() - self.since
        heading = f"{run.facts.get('recipe', 'run')} on {run.facts.get('device', run.device)}"
        found = table(self.watch.seconds, whole, heading=heading)
        found += self._speed(whole / STEPS)
        self.profile.export_chrome_trace(str(run.folder / TRACE))
        (run.folder / TABLE).write_text(found + "\n", encoding="utf-8")
        run.record.display.say(f"{found}\n  trace: {run.folder / TRACE} (open it in ui.perfetto.dev)")

    def _speed(self, seconds: float) -> str:
        """The step's operations a second, and on a processor their share of the machine's best product."""
        flops, forms = float(self.counter.get_total_flops()), self.run.forms
        if not flops:
            return ""
        said = f"\n  {flops / 1e9:,.3g} GFLOP a step, {flops / seconds / 1e9:,.3g} GFLOP/s"
        if forms.device != "cpu":
            return said
        share = flops / seconds / peak(calibrated(), forms)
        return f"{said}: {percent(share)} of the best product that this machine has in {forms.precision}"


def table(seconds: dict[str, float], whole: float, *, heading: str, steps: int = STEPS) -> str:
    """One line for each part of a step, from seconds by name over `steps` steps that took `whole` seconds."""
    parts = {name: value for name, value in seconds.items() if name.startswith(("forward ", "loss "))}
    rows = {"waiting for data": seconds.get("waiting", 0.0)}
    rows |= {name: parts[name] for name in sorted(parts, key=_is_loss)}
    rows["forward, between parts"] = max(0.0, seconds.get("forward", 0.0) - sum(parts.values()))
    rows |= {name: seconds.get(name, 0.0) for name in ("backward", "optimizer", "state and targets")}
    rows["everything else"] = max(0.0, whole - sum(rows.values()))
    rows = {name: value for name, value in rows.items() if value > 0}
    width = max(map(len, rows))
    lines = [f"{heading}: {whole / steps * 1e3:.1f} ms a step, mean of {steps}"]
    lines += [f"  {name:<{width}}  {value / steps * 1e3:9.1f} ms  {value / whole:6.1%}" for name, value in rows.items()]
    if "views" in seconds:
        lines.append(f"  views are made beside this, in {seconds['views'] / steps * 1e3:.1f} ms a step")
    return "\n".join(lines)


def _is_loss(name: str) -> bool:
    return name.startswith("loss ")


def _activities(device: torch.device) -> list[ProfilerActivity]:
    return [ProfilerActivity.CPU] + ([ProfilerActivity.CUDA] if device.type == "cuda" else [])
