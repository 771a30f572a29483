"""The loop, whole: one function for every method, in plain torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sslgraph import collectives, sharding
from sslgraph.errors import SslgraphError
from sslgraph.program import could_not_compile

from . import bounds, checkpoint, interrupt, not_finite, profiling, run_folder, summary
from .checkpoint import Checkpoint
from .interrupt import Interrupt
from .record import NotFiniteError
from .run import Batch, Report, Run
from .setup import prepare


def train(cfg: Mapping[str, Any], *, report: Report | None = None) -> dict[str, Any]:
    """Trains what a plain mapping says (see setup.Config) and returns the run's summary; goes on where it stopped.

    `report` is told of every checkpoint, on all ranks.
    """
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
    step, end = resume(run), run.clock.total_steps
    if step:
        _refuse_impossible(run, step)
    if step == end and summary.exists(run.folder):
        run.record.abandon()
        return summary.read(run.folder)
    try:
        run.record.begin(step)
        with Interrupt(run.folder) as asking:
            if step == 0 and run.baseline is not None:
                _measure(run, step, run.baseline)
            if not _stops(run, asking, step):
                for done in steps(run, step, end):
                    step = done
                    _after(run, step)
                    if _stops(run, asking, step):
                        break
            if step < end:
                raise SystemExit(_stopped(run, step))
        run.record.fetch()
    except NotFiniteError as bad:
        run.record.abandon()
        raise SslgraphError(not_finite.keep(run, bad)) from bad
    except RuntimeError as wrong:
        run.record.abandon()
        if could_not_compile(wrong):
            reason = str(getattr(wrong, "inner_exception", wrong)).splitlines()[0]
            raise SslgraphError(
                f"compile: true: torch can't compile this step here ({reason}); leave compile out, or mend what it says"
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
        for pieces in run.record.timed(run.feed.batches(done, min(end, _next_pass(run, done)))):
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
            with run.cast():
                losses, writes = run.model(batch)
            not_finite.refuse(run, losses, step)
            run.optimizer.backward(losses, share)
        written.append(writes)
        total = {name: total.get(name, 0.0) + share * loss.detach() for name, loss in losses.items()}
    measured = run.optimizer.update(step)
    run.method.tick(written)
    if run.monitor is not None:
        run.monitor.look(step + 1)
    run.record.step(step + 1, total, measured)


def resume(run: Run) -> int:
    """Puts the run where its newest checkpoint left it; returns the number of steps done."""
    there = checkpoint.complete(run.checkpoints)
    newest = checkpoint.step_of(there[-1]) if there else -1
    # Shared storage may show a folder to one rank sooner than to another: all take what the first one sees.
    step = int(collectives.broadcast(torch.tensor(newest, device=run.device)))
    if step < 0:
        return 0
    path = run.checkpoints / f"step_{step:08d}"
    saved = checkpoint.load(path, text=run.text)
    try:
        run.method.load_state_dict(sharding.cut(saved.method, like=run.method.state_dict()))
    except RuntimeError as wrong:
        reason = str(wrong).splitlines()[-1].strip()
        raise SslgraphError(f"the weights in {path} do not fit this method: {reason}") from wrong
    run.optimizer.load_state_dict(saved.optimizer)
    run.record.measures |= saved.measures
    run.feed.balance(run.method.sample_labels())
    return saved.step


def _refuse_impossible(run: Run, step: int) -> None:
    fault = None
    try:
        bounds.refuse_impossible(run.method, run.optimizer.state_dict(), run.checkpoints / f"step_{step:08d}")
    except SslgraphError as impossible:
        fault = impossible
    run_folder.agree(fault, run.device)


def save(run: Run, step: int) -> Path:
    """Writes a checkpoint on the first rank while the others wait."""
    run.record.keep()
    final, fault = run.checkpoints / f"step_{step:08d}", None
    weights, momenta = sharding.whole(run.method.state_dict()), sharding.whole(run.optimizer.state_dict())
    if collectives.rank() == 0:
        whole = Checkpoint(run.text, step, weights, momenta, {"seed": run.seed}, run.record.measures)
        try:
            checkpoint.save(run.checkpoints, whole, keep=run.keep, best=run.best)
        except SslgraphError as full:
            fault = full
    run_folder.agree(fault, run.device)
    if run.report is not None:
        run.report(final, run.record.measures)
    return final


def _after(run: Run, step: int) -> None:
    """What is due once `step` steps are done. The last step is always evaluated and saved."""
    is_last = step == run.clock.total_steps
    if run.monitor is not None and step % run.record.every == 0:
        run.monitor.warn(step)
    if run.evaluate is not None and (is_last or _is_due(step, run.evaluate_every)):
        _measure(run, step, run.evaluate)
    if is_last or _is_due(step, run.checkpoint_every):
        with run.record.aside():
            save(run, step)


def _is_due(step: int, every: int) -> bool:
    return every > 0 and step % every == 0


def _measure(run: Run, step: int, measure: Any) -> None:
    """Evaluates the exported encoder in eval mode and leaves every module as it was."""
    modes = {module: module.training for module in run.method.modules()}
    with run.record.aside(), torch.no_grad():
        encoder: nn.Module = run.method.encoder().to(run.device).eval()
        measures = measure(encoder)
    for module, mode in modes.items():
        module.training = mode
    run.record.evaluation(step, measures)


def _passes(run: Run, step: int) -> None:
    """Runs the passes over the data set that come before this step, and forgets momenta of nets they made anew."""
    for name in run.method.due_phases(step, run.clock):
        _seed(run, step, rank=0)  # weights made anew are the same on all ranks
        with run.record.aside(), run.cast():
            run.optimizer.forget(run.method.run_phase(name, _sweep(run, name, step)))
        run.feed.balance(run.method.sample_labels())


def _seed(run: Run, step: int, rank: int) -> None:
    """Torch's own generators, which dropout and fresh weights draw from, begin each step anew.

    So what they give is a function of the step too, and no checkpoint needs to hold their state.
    """
    torch.manual_seed((run.seed * 1_000_003 + step) * 65_537 + rank)


def _sweep(run: Run, phase: str, step: int) -> Iterable[Batch]:
    views = frozenset(name.partition(".")[0] for name in run.method.programs[phase].inputs if "." in name)
    return run.feed.sweep(step, views)


def _next_pass(run: Run, step: int) -> int:
    """The next step before which the data set is passed over: batches must not be drawn further ahead."""
    later = range(step + 1, run.clock.total_steps)
    return next((s for s in later if run.method.due_phases(s, run.clock)), run.clock.total_steps)


def _stops(run: Run, asking: Interrupt, step: int) -> bool:
    """Whether all ranks stop here. They ask each other only where they meet anyway, when losses are fetched."""
    if collectives.ranks() == 1:
        return asking.asked
    if step % run.record.every:
        return False
    return bool(collectives.all_sum(torch.tensor(float(asking.asked), device=run.device)) > 0)


def _stopped(run: Run, step: int) -> str:
    path = save(run, step)
    run.record.close()
    if collectives.rank() == 0:
        interrupt.withdraw(run.folder)
    return f"stopped after step {step} and saved {path}; the same command with --out {run.folder} goes on from there"
