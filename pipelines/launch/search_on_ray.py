"""Runs the trials of a search on Ray Tune: several at a time, chosen by optuna where it is installed, else at random.

Ray is told a point and a value of each trial. The trials' folders are ours; what is known of earlier ones is given
again at the next start, so nothing of Ray's is kept.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from sslgraph.errors import SslgraphError

from . import cluster
from .launch import stoppable
from .search_points import Axis, Point, drawn

Searcher = Literal["optuna", "random"]
Trial = Callable[[Point | None], float | None]
VALUE = "value"
# A trial that was refused has no value; nobody reads Tune's own logs; the newer of its two displays is never silent.
TUNE = {
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "RAY_AIR_NEW_OUTPUT": "0",
}


@dataclass(frozen=True)
class Wish:
    """What is searched: axes, how many points, what of them is known, and how many trials run at a time.

    `known` has the value of each finished point, None where there is none; `begun` points go first.
    """

    axes: tuple[Axis, ...]
    trials: int
    is_minimized: bool = False
    at_once: int = 1
    seed: int = 0
    searcher: Searcher = "random"
    address: str | None = None
    known: Mapping[Point, float | None] = field(default_factory=dict)
    begun: tuple[Point, ...] = ()
    base: bool = True  # whether the base is still to be run; it is no point


def chosen(asked: str | None) -> Searcher:
    """The searcher of a name; SslgraphError if there is none of that name, or it is not installed."""
    there = importlib.util.find_spec("optuna") is not None
    if asked == "optuna" and not there:
        raise SslgraphError("--searcher optuna: it is not installed; pip install 'sslgraph[search]', or write random")
    if asked not in (None, "optuna", "random"):
        raise SslgraphError(f"--searcher {asked}: there are: grid, optuna, random")
    return "optuna" if asked == "optuna" or (asked is None and there) else "random"


def search(trial: Trial, wish: Wish, *, ask: Callable[[], None]) -> None:
    """Runs the base, then all points that are to be tried. Trials write down themselves what they find.

    The first Ctrl-C calls `ask`, which is to stop the trials that run; no other begins then. SslgraphError if trials
    died, after all others.
    """
    os.environ.update({name: value for name, value in TUNE.items() if name not in os.environ})
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # of a trial that died it shows the whole trace
    with cluster.cluster(wish.address) as ray, tempfile.TemporaryDirectory() as scratch:
        resources = _resources(cluster.nodes(ray), wish.at_once)
        asked = _Asked(ask)
        body = _in_worker(trial, str(Path.cwd()))
        died = stoppable(asked.stop, lambda: {"died": _run(ray, body, wish, resources, Path(scratch), asked)})["died"]
    if died:
        raise SslgraphError(f"{len(died)} trials died, the first with: {died[0]}; the same command tries them again")
    if asked.is_stopped:
        raise SystemExit("Stopped; trials that were running are saved. The same command continues.")


class _Asked:
    """Whether the search is to stop, which Tune looks at between trials. Tune pickles it, which no Event allows."""

    def __init__(self, then: Callable[[], None]) -> None:
        self.then, self.is_stopped = then, False

    def stop(self) -> None:
        self.is_stopped = True
        self.then()


def _resources(nodes: Sequence[tuple[int, int]], at_once: int) -> dict[str, float]:
    """A trial's part of a cluster: so many trials share its GPUs, or its cores."""
    cpus, gpus = (sum(node[i] for node in nodes) for i in (0, 1))
    if at_once > cpus:
        raise SslgraphError(f"--at-once {at_once} trials need as many processor cores, and there are {cpus}")
    found: dict[str, float] = {"cpu": max(1, cpus // at_once)}
    if gpus:
        found["gpu"] = 1.0 if at_once <= gpus else 1 / -(-at_once // gpus)
        found["cpu"] = max(1, min(cpu for cpu, gpu in nodes if gpu) * found["gpu"] // max(g for _, g in nodes))
    return found


def _in_worker(trial: Trial, folder: str) -> Callable[[dict[str, Any]], float | None]:
    """What a Ray worker runs. Plugins are in the folder of the command, last on the path as in the command line."""

    def run(config: dict[str, Any]) -> float | None:
        if folder not in sys.path:
            sys.path.append(folder)
        found = config["point"]
        return trial(None if found is None else tuple(found))

    return run


def _run(
    ray: Any, body: Callable[[dict[str, Any]], float | None], wish: Wish, resources: dict[str, float], scratch: Path,
    asked: _Asked,
) -> list[str]:  # fmt: skip
    """Runs what is to be run; the last words of the trials that died."""
    from ray import tune

    if wish.base:
        ray.get(ray.remote(num_cpus=resources["cpu"], num_gpus=resources.get("gpu", 0))(body).remote({"point": None}))
    names = [f"a{i}" for i in range(len(wish.axes))]

    def trained(config: dict[str, Any]) -> None:
        point = config.get("point") or [config[name] for name in names]
        value = body({"point": point})
        tune.report({VALUE: value} if value is not None else {"refused": True})

    chooses = _optuna(wish, names) if wish.searcher == "optuna" else None
    listed = [] if chooses else _listed(wish)
    samples = wish.trials - len(wish.known) if chooses else len(listed)
    if samples <= 0 or asked.is_stopped:
        return []
    found = tune.Tuner(
        tune.with_resources(trained, resources),
        param_space=None if chooses else {"point": tune.grid_search([list(point) for point in listed])},
        tune_config=tune.TuneConfig(
            search_alg=chooses, num_samples=samples if chooses else 1, max_concurrent_trials=wish.at_once
        ),
        run_config=tune.RunConfig(name="search", storage_path=str(scratch), verbose=0, stop=_stopper(asked)),
    ).fit()
    return [_in_words(wrong, ray) for wrong in found.errors]


def _in_words(wrong: Exception, ray: Any) -> str:
    """The line that says why a trial died: what Ray killed says it first, a trace says it last."""
    lines = str(wrong).strip().splitlines() or [type(wrong).__name__]
    return lines[0] if isinstance(wrong, ray.exceptions.OutOfMemoryError) else lines[-1]


def _listed(wish: Wish) -> list[Point]:
    """Points at random, without those that are known; the same ones at every start."""
    there = [point for point in drawn(wish.axes, wish.trials, seed=wish.seed) if point not in wish.known]
    return [*wish.begun, *(point for point in there if point not in wish.begun)]


def _stopper(asked: _Asked) -> Any:
    from ray import tune

    class Stopper(tune.Stopper):  # type: ignore[misc]
        def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:  # noqa: ARG002
            return False

        def stop_all(self) -> bool:
            return asked.is_stopped

    return Stopper()


def _optuna(wish: Wish, names: Sequence[str]) -> Any:
    """Optuna's searcher with the known points, of which the started ones come first."""
    from optuna import distributions, logging as told  # isort: skip
    from ray.tune.search.optuna import OptunaSearch

    class Once(OptunaSearch):  # type: ignore[misc]
        def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
            """A trial has one result, its last one; a refused one has no value in it."""

    told.set_verbosity(told.ERROR)
    space = {
        name: distributions.CategoricalDistribution(range(axis.choices))
        if axis.choices
        else distributions.IntDistribution(int(axis.low), int(axis.high))
        if axis.scale == "whole"
        else distributions.FloatDistribution(axis.low, axis.high, log=axis.scale == "log")
        for name, axis in zip(names, wish.axes, strict=True)
    }
    begun = [dict(zip(names, point, strict=True)) for point in wish.begun]
    mode = "min" if wish.is_minimized else "max"
    seed = wish.seed + len(wish.known)  # a sampler that begins again would draw its first points again
    chooses = Once(space=space, metric=VALUE, mode=mode, points_to_evaluate=begun or None, seed=seed)
    for point, value in wish.known.items():
        parameters = dict(zip(names, point, strict=True))
        chooses.add_evaluated_point(parameters, value, pruned=value is None)
    return chooses
