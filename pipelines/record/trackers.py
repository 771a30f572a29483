"""Sends the numbers of a run to TensorBoard and to the trackers that a recipe names.

Each is reached through its own library, whose own variables say where to and whether online (WANDB_MODE,
MLFLOW_TRACKING_URI, TRACKIO_DIR). A tracker that fails ends no run: metrics.jsonl is the truth.
"""

from __future__ import annotations

import importlib.util
import math
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from sslgraph.errors import SslgraphError
from sslgraph.files import whole_file
from sslgraph.read.resolved import leaves

from .events import Events

FILE = "trackers.json"  # under which names a run is known elsewhere, so that a resumed run goes on there
PROJECT = "sslgraph"
GROUPS = {"optimizer": ("lr", "weight_decay", "gradient_norm"), "pace": ("images_per_second", "waiting")}


class Tracker(Protocol):
    """One place that shows numbers; names are in groups, such as loss/contrast."""

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Notes what was measured after `step` steps."""

    def close(self) -> None:
        """Brings what still waits to its place."""


@dataclass(frozen=True)
class Shown:
    """What a tracker gets at the start of a run: its folder, the steps done, and its resolved text as values."""

    folder: Path
    done: int = 0
    about: Mapping[str, Any] = field(default_factory=dict)

    def known(self, name: str) -> str | None:
        """Under what the tracker of this name knows the run since an earlier start."""
        found = (whole_file.mapping(self.folder / FILE) or {}).get(name)
        return None if found is None else str(found)

    def remember(self, name: str, key: str) -> None:
        """Keeps that for a later start."""
        whole_file.put_json(self.folder / FILE, {**(whole_file.mapping(self.folder / FILE) or {}), name: key})


def grouped(name: str, losses: Collection[str]) -> str:
    """The name of a number with the group that trackers show it in."""
    if name in losses:
        return f"loss/{name}"
    if "/" in name:  # a monitor's
        return name
    return f"{next((group for group, names in GROUPS.items() if name in names), 'evaluation')}/{name}"


class Wandb:
    """Weights & Biases; with WANDB_MODE=offline it writes into the run's folder, for `wandb sync`."""

    def __init__(self, shown: Shown) -> None:
        import wandb

        key = shown.known("wandb") or os.urandom(4).hex()
        self.run = wandb.init(
            project=None if "WANDB_PROJECT" in os.environ else PROJECT, name=shown.folder.name, id=key,
            resume="allow", dir=str(shown.folder), config=dict(shown.about),
            settings=wandb.Settings(silent=True, console="off"),
        )  # fmt: skip
        self.run.define_metric("*", step_metric="step")  # wandb's own step never goes back, and a resumed run's may
        shown.remember("wandb", key)

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """One row."""
        self.run.log({**values, "step": step})

    def close(self) -> None:
        """Waits for the upload."""
        self.run.finish()


class Mlflow:
    """MLflow; without MLFLOW_TRACKING_URI it writes into `mlruns` of the run's folder."""

    def __init__(self, shown: Shown) -> None:
        import mlflow
        from mlflow.tracking import MlflowClient

        place = os.environ.get("MLFLOW_TRACKING_URI")
        if not place:
            place = (shown.folder.resolve() / "mlruns").as_uri()
            os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # a new MLflow asks for it
        self.metric = mlflow.entities.Metric
        self.client = MlflowClient(tracking_uri=place)
        self.key = shown.known("mlflow") or self._made(shown)

    def _made(self, shown: Shown) -> str:
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT)
        there = self.client.get_experiment_by_name(name)
        experiment = there.experiment_id if there is not None else self.client.create_experiment(name)
        key = str(self.client.create_run(experiment, run_name=shown.folder.name).info.run_id)
        for path, value in leaves(shown.about):
            self.client.log_param(key, path, str(value)[:500])
        shown.remember("mlflow", key)
        return key

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """One metric each."""
        now = int(time.time() * 1000)
        self.client.log_batch(self.key, metrics=[self.metric(name, value, now, step) for name, value in values.items()])

    def close(self) -> None:
        """Marks the run as ended; a resumed one writes on."""
        self.client.set_terminated(self.key)


class Trackio:
    """Trackio, whose dashboard `trackio show` opens; it keeps its data where TRACKIO_DIR says."""

    def __init__(self, shown: Shown) -> None:
        import trackio

        name = shown.known("trackio") or f"{shown.folder.name}-{int(time.time())}"
        project = os.environ.get("TRACKIO_PROJECT", PROJECT)
        self.run = trackio.init(project=project, name=name, config=dict(shown.about), resume="allow", embed=False)
        shown.remember("trackio", name)

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """One row."""
        self.run.log(dict(values), step=step)

    def close(self) -> None:
        """Waits until everything is kept."""
        self.run.finish()


# By the word of a recipe's `track:`, with the package that pip installs; TensorBoard is always there.
TRACKERS: Mapping[str, tuple[str, Callable[[Shown], Tracker]]] = {
    "wandb": ("wandb", Wandb),
    "mlflow": ("mlflow", Mlflow),
    "trackio": ("trackio", Trackio),
}


def _events(shown: Shown) -> Events:
    return Events(shown.folder / "tensorboard", shown.done)


def refuse_missing(names: Collection[str]) -> None:
    """Refuses a tracker whose library is not installed."""
    for name in names:
        if importlib.util.find_spec(TRACKERS[name][0]) is None:
            raise SslgraphError(f"track: {name} is not installed; pip install 'sslgraph[{name}]'")


class Trackers:
    """All trackers of a run. One that fails is left out from then on, and `say` prints that once."""

    def __init__(self, names: Collection[str], *, tensorboard: bool, say: Callable[[str], None]) -> None:
        self.makers: dict[str, Callable[[Shown], Tracker]] = {"tensorboard": _events} if tensorboard else {}
        self.makers |= {name: TRACKERS[name][1] for name in names}
        self.say = say
        self.open: dict[str, Tracker] = {}

    def begin(self, shown: Shown) -> None:
        """Opens all of them."""
        for name, make in self.makers.items():
            with self._forgiven(name):
                self.open[name] = make(shown)

    def write(self, step: int, values: Mapping[str, float], losses: Collection[str]) -> None:
        """Tells all of them what was measured; what is no finite number is left out."""
        found = {grouped(name, losses): value for name, value in values.items() if name != "step"}
        found = {name: value for name, value in found.items() if math.isfinite(value)}
        for name in list(self.open) if found else ():
            with self._forgiven(name):
                self.open[name].write(step, found)

    def close(self) -> None:
        """Closes all of them."""
        for name in list(self.open):
            with self._forgiven(name):
                self.open.pop(name).close()

    @contextmanager
    def _forgiven(self, name: str) -> Iterator[None]:
        try:
            yield
        except Exception as wrong:  # whatever a library of others raises
            self.open.pop(name, None)
            reason = (str(wrong).strip() or type(wrong).__name__).splitlines()[0]
            self.say(f"{name} gets no more numbers of this run: {reason}")
