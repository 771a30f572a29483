"""The loop, whole: one function for every method, in plain torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from sslgraph import collectives
from sslgraph.compile.failed import failed_in
from sslgraph.errors import SslgraphError
from sslgraph.settle.evaluating import evaluating
from sslgraph.torch_compat import compile_failure, without_compiler

from ..feed.feed import Batch
from ..record.record import NotFiniteError
from ..storage import run_folder
from ..storage.interrupt import Interrupt
from . import at_address, not_finite, profiling, summary
from .run import Measure, Report, Run
from .saving import Saver
from .start import fitting, starting
from .start.prepare import prepare


def train(cfg: Mapping[str, Any], *, report: Report | None = None) -> dict[str, Any]:
    """Trains what a plain mapping says (see prepare.Config) and returns the run's summary; continues where it stopped.

    `report` gets every checkpoint but the one before the first step, on all ranks.
    """
    with at_address.at_its_address(cfg) as cfg, without_compiler():  # it comes where a recipe says `compile: true`
        run = prepare(cfg)
        run.report = report
        if cfg.get("profile") and collectives.rank() == 0:
            profiling.attach(run)
        return loop(run)


def loop(run: Run) -> dict[str, Any]:
    """From the newest checkpoint, or from the start, to the last step, as the only run that writes into its folder."""
    with run_folder.held(run.folder, run.device), run_folder.told(run.folder):
        return _loop(run)


def _loop(run: Run) -> dict[str, Any]:
    (step, is_saved), end = starting.start(run), run.clock.total_steps
    if is_saved and step == end and (over := summary.read(run.folder)) is not None and over["steps"] == end:
        run.record.abandon()
        return summary.with_holes(run.folder, {**over, "checkpoint": summary.newest(run, end)})
    try:
        run.record.begin(step)
        with Interrupt(run.folder) as asking:
            saver = Saver(run, asking, saved=step if is_saved else None)
            if step == 0 and not is_saved and run.baseline is not None:
                _measure(run, step, run.baseline)
            if step == 0 and not is_saved:
                starting.begin(run)
            saver.save(step)
            is_stopped = saver.after(step)
            for done in () if is_stopped else steps(run, step, end):
                step = done
                _look(run, step)
                if saver.after(step):
                    break
            if step < end:
                raise SystemExit(saver.stopped(step))
        run.record.fetch()
    except NotFiniteError as bad:
        run.record.abandon()
        raise SslgraphError(not_finite.keep(run, bad)) from bad
    except Exception as wrong:
        run.record.abandon()
        if told := failed_in(run.method, wrong):
            raise SslgraphError(told) from wrong
        if reason := compile_failure(wrong):
            raise SslgraphError(
                f"compile: true: torch can't compile this step here ({reason}); leave compile out"
            ) from wrong
        raise
    except BaseException:
        run.record.abandon()
        raise
    if run.monitor is not None:
        run.monitor.warn(step)
    run.record.close()
    return summary.write(run, step)


def steps(run: Run, done: int, end: int) -> Iterator[int]:
    """Does one step each time it is asked, and says how many are done; runs passes over the data set where due."""
    while done < end:
        _passes(run, done)
        for pieces in run.record.timed(run.feed.batches(done, min(end, _next_pass(run, done))), run.span):
            with run.span("step"):
                one_step(run, pieces, done)
            done += 1
            yield done


def one_step(run: Run, pieces: list[Batch], step: int) -> None:
    """One move of the optimizer on a global batch, which may come in several micro-batches."""
    run.method.begin(step, run.clock)
    _seed(run, step, rank=collectives.rank())
    if run.monitor is not None:
        run.monitor.watch(step + 1)
    total: dict[str, Tensor] = {}
    written = []
    share = 1 / len(pieces)
    for number, batch in enumerate(pieces, 1):
        with run.quietly(is_last=number == len(pieces)):
            with run.span("forward"), run.cast():
                losses, writes = run.model(batch)
            not_finite.refuse(run, losses, step)
            with run.span("backward"):
                run.optimizer.backward(losses, share)
        written.append(writes)
        total = {name: total.get(name, 0.0) + share * loss.detach() for name, loss in losses.items()}
    with run.span("optimizer"):
        measured = run.optimizer.update(step)
    with run.span("state and targets"):
        run.method.tick(written)
    if run.monitor is not None:
        run.monitor.look(step + 1)
    run.record.step(step + 1, total, measured)


def _look(run: Run, step: int) -> None:
    """Warns and evaluates if that is due once `step` steps are done. The last step is always evaluated."""
    if run.monitor is not None and step % run.record.every == 0:
        run.monitor.warn(step)
    is_due = run.evaluate_every > 0 and step % run.evaluate_every == 0
    if run.evaluate is not None and (is_due or step == run.clock.total_steps):
        _measure(run, step, run.evaluate)


def _measure(run: Run, step: int, measure: Measure) -> None:
    """Evaluates the exported encoder in eval mode and leaves every module as it was."""
    with run.record.aside(), torch.no_grad(), evaluating(*run.method.modules()):
        measures = measure(run.method.encoder().to(run.device).eval())
    run.record.evaluation(step, measures)


def _passes(run: Run, step: int) -> None:
    """Runs the passes over the data set that come before this step, and forgets momenta of nets they made anew."""
    for name in run.method.due_phases(step, run.clock):
        _seed(run, step, rank=0)  # weights made anew are the same on all ranks
        with run.record.aside(), run.cast(), fitting.told(run.method):
            run.optimizer.forget(run.method.run_phase(name, _sweep(run, name, step)))
        run.feed.balance(run.method.sample_labels())


def _seed(run: Run, step: int, rank: int) -> None:
    """Torch's own generators, which dropout and fresh weights draw from, begin each step anew.

    So what they give is a function of the step too, and no checkpoint needs to hold their state.
    """
    torch.manual_seed(((run.seed * 1_000_003 + step) * 65_537 + rank) % 2**64)


def _sweep(run: Run, phase: str, step: int) -> Iterable[Batch]:
    views = frozenset(name.partition(".")[0] for name in run.method.programs[phase].inputs if "." in name)
    return run.feed.sweep(step, views)


def _next_pass(run: Run, step: int) -> int:
    """The next step before which the data set is passed over: batches must not be drawn further ahead."""
    later = range(step + 1, run.clock.total_steps)
    return next((s for s in later if run.method.due_phases(s, run.clock)), run.clock.total_steps)
