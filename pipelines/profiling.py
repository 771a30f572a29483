"""Where the time of a training step goes: a table of one screen, and a trace for the profiler's viewers."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile

from sslgraph.errors import SslgraphError

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

    def start(self, name: str) -> None:
        """Begins a stretch of a name."""
        self._since[name] = self._now()

    def stop(self, name: str) -> None:
        """Ends the stretch, if the watch runs and it was begun."""
        since = self._since.pop(name, None)
        if self.is_running and since is not None:
            self.seconds[name] = self.seconds.get(name, 0.0) + self._now() - since

    def timed(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, timed."""

        @wraps(call)
        def watched(*args: Any, **kwargs: Any) -> Any:
            self.start(name)
            try:
                return call(*args, **kwargs)
            finally:
                self.stop(name)

        return watched

    def watch(self, name: str, module: nn.Module) -> list[Any]:
        """Times the calls of a module from now on, until the returned hooks are removed."""
        before = module.register_forward_pre_hook(lambda *_: self.start(name))
        after = module.register_forward_hook(lambda *_: self.stop(name))
        return [before, after]

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()


def attach(run: Run) -> Stopwatch:
    """Looks at a few steps of a run, then writes the table and the trace into its folder and leaves it as it was.

    The loop knows nothing of it: what it calls is timed from outside. Compiled programs are timed as one.
    """
    if run.clock.total_steps < WARM + STEPS:
        looked_at = f"steps {WARM + 1} to {WARM + STEPS}"
        raise SslgraphError(f"--profile looks at {looked_at}, and this run has {run.clock.total_steps}; train longer")
    watch = Stopwatch(run.device)
    hooks = watch.watch("forward", run.model)
    is_compiled = any(program.run is not program.module for program in run.method.programs.values())
    for name, part in run.method.parts.items() if not is_compiled else ():
        hooks += watch.watch(name, part)
    inner = ((run.optimizer, "backward"), (run.optimizer, "update"), (run.method, "tick"), (run.feed, "_made"))
    for owner, name in inner:
        if hasattr(owner, name):
            setattr(owner, name, watch.timed(name, getattr(owner, name)))
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # else it complains that there is no GPU
    looked = profile(activities=_activities(run.device))
    finish, begin = run.record.step, run.method.set_step
    done = 0

    def starts(*args: Any) -> None:
        watch.stop("waiting")
        begin(*args)

    def ends(*args: Any) -> None:
        nonlocal done
        finish(*args)
        watch.stop("step")
        done += 1
        if done == WARM:
            watch.is_running = True
            looked.start()
        if done < WARM + STEPS:
            watch.start("step")
            watch.start("waiting")
            return
        watch.is_running = False
        looked.stop()
        for hook in hooks:
            hook.remove()
        for owner, name in ((run.record, "step"), (run.method, "set_step"), *inner):
            vars(owner).pop(name, None)
        _write(run, watch, looked)

    run.record.step, run.method.set_step = ends, starts  # type: ignore[method-assign, assignment]
    return watch


def table(watch: Stopwatch, sections: dict[str, str], *, heading: str, steps: int = STEPS) -> str:
    """One line for each part of a step; `sections` says of each timed part in which section of the method it stands."""
    seconds, whole = watch.seconds, watch.seconds["step"]
    rows = [("waiting for data", seconds.get("waiting", 0.0))]
    rows += [
        (f"forward {name}", seconds[name]) for name, kind in sections.items() if kind != "losses" and name in seconds
    ]
    rows += [(f"loss {name}", seconds[name]) for name, kind in sections.items() if kind == "losses" and name in seconds]
    inside = sum(seconds.get(name, 0.0) for name in sections)
    rows.append(("forward, between parts", max(0.0, seconds.get("forward", 0.0) - inside)))
    rows += [("backward", seconds.get("backward", 0.0)), ("optimizer", seconds.get("update", 0.0))]
    rows.append(("state and targets", seconds.get("tick", 0.0)))
    rows.append(("everything else", max(0.0, whole - sum(value for _, value in rows))))
    rows = [row for row in rows if row[1] > 0.0005 * whole]
    width = max(len(name) for name, _ in rows)
    lines = [f"{heading}: {whole / steps * 1e3:.1f} ms a step, mean of {steps}"]
    lines += [f"  {name:<{width}}  {value / steps * 1e3:9.1f} ms  {value / whole:6.1%}" for name, value in rows]
    if "_made" in seconds:
        lines.append(f"  views are made beside this, in {seconds['_made'] / steps * 1e3:.1f} ms a step")
    return "\n".join(lines)


def _write(run: Run, watch: Stopwatch, looked: profile) -> None:
    boxes = run.method.graph.boxes
    heading = f"{run.facts.get('recipe', 'run')} on {run.facts.get('device', run.device)}"
    found = table(watch, {name: boxes[name].section for name in run.method.parts}, heading=heading)
    looked.export_chrome_trace(str(run.folder / TRACE))
    (run.folder / TABLE).write_text(found + "\n", encoding="utf-8")
    run.record.display.say(f"{found}\n  trace: {run.folder / TRACE} (open it in ui.perfetto.dev)")


def _activities(device: torch.device) -> list[ProfilerActivity]:
    return [ProfilerActivity.CPU] + ([ProfilerActivity.CUDA] if device.type == "cuda" else [])
