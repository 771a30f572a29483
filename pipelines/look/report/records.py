"""Reads back what a run wrote: its recipe, its curves by kind, its figures, its starts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sslgraph.errors import SslgraphError
from sslgraph.read.load import load_recipe
from sslgraph.read.loaded import Loaded
from sslgraph.read.spec import Loss, Method, Recipe

from ...storage import checkpoint, metrics_file, provenance, run_folder
from ...train import summary

KNN = "knn"
BESIDE = {"knn_random_encoder": "random encoder", "knn_pixels": "pixels"}
SCHEDULES = ("lr", "weight_decay")
PACE = ("images_per_second", "waiting")
EVALUATION = "evaluation.json"

Points = list[tuple[float, float]]


@dataclass(frozen=True)
class Record:
    """A run folder as a reader of it: `series` maps every recorded name to its points, step by step."""

    folder: Path
    loaded: Loaded[Recipe]
    text: str
    series: dict[str, Points]
    summary: dict[str, Any]
    evaluation: dict[str, Any]
    starts: list[dict[str, Any]]
    checkpoint: Path | None

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def method(self) -> Method:
        """The method that was trained."""
        return self.loaded.spec.method

    @property
    def loss_specs(self) -> dict[str, Loss]:
        """The losses of the method and of its phases, as the spec has them."""
        phases = {name: loss for phase in self.method.phases for name, loss in phase.losses.items()}
        return {**self.method.losses, **phases}

    @property
    def losses(self) -> dict[str, Points]:
        """The curves of the losses, by their names in the spec."""
        return self._named(tuple(self.loss_specs))

    def part_of(self, loss: str) -> str:
        """The part that computes a loss."""
        return self.loss_specs[loss].use if loss in self.loss_specs else ""

    @property
    def schedules(self) -> dict[str, Points]:
        """Learning rate, weight decay and momenta, as they were."""
        moving = [name for name in self.series if name.startswith(SCHEDULES) or name.endswith("momentum")]
        return self._named(tuple(moving))

    @property
    def monitors(self) -> dict[str, dict[str, Points]]:
        """What was measured at named edges: by measure, then by edge; it is recorded as monitor/EDGE/MEASURE."""
        found: dict[str, dict[str, Points]] = {}
        for name, points in self._others.items():
            edge, slash, measure = name.removeprefix("monitor/").rpartition("/")
            if slash:
                found.setdefault(measure, {})[edge] = points
        return found

    @property
    def diagnosis(self) -> list[str]:
        """What the run itself said of its state at the end."""
        return [str(finding) for finding in self.summary.get("diagnosis", [])]

    @property
    def whole(self) -> dict[str, Points]:
        """What was measured of the whole method, such as the gradient norm."""
        return {name: points for name, points in self._others.items() if "/" not in name}

    @property
    def _others(self) -> dict[str, Points]:
        known = {*self.losses, *self.schedules, *PACE}
        return {n: points for n, points in self.series.items() if n not in known and not n.startswith(KNN)}

    @property
    def knn(self) -> Points:
        """The accuracy of nearest neighbours, evaluation by evaluation."""
        return self.series.get(KNN, [])

    @property
    def beside(self) -> dict[str, float]:
        """What an untrained encoder and bare pixels reach, under the names that people read."""
        return {words: self.series[name][-1][1] for name, words in BESIDE.items() if self.series.get(name)}

    @property
    def steps(self) -> int:
        """The last recorded step."""
        return int(max((points[-1][0] for points in self.series.values() if points), default=0))

    def _named(self, names: tuple[str, ...]) -> dict[str, Points]:
        return {name: self.series[name] for name in names if self.series.get(name)}


def read(folder: Path) -> Record:
    """Reads a run folder; refuses one that is none, or whose text can't be read."""
    text = run_folder.text_of(folder)
    if text is None:
        what = f"there is no {checkpoint.TEXT} in it" if folder.is_dir() else "there is no such folder"
        raise SslgraphError(f"{folder} is no run folder: {what}; give the folder that train printed")
    there = checkpoint.complete(folder / "checkpoints")
    return Record(
        folder=folder.resolve(),
        loaded=load_recipe(str(text)),
        text=text.read_text(encoding="utf-8"),
        series=_series(folder),
        summary=_summary(folder),
        evaluation=_evaluation(folder),
        starts=provenance.read(folder),
        checkpoint=there[-1] if there else None,
    )


def short(folders: Sequence[Path]) -> list[str]:
    """Names for runs beside each other: what their folders have in common at both ends, word by word, is left away."""
    words = [folder.name.split("-") for folder in folders]
    first, least = words[0], min(len(found) for found in words)
    start = next((i for i in range(least) if any(w[i] != first[i] for w in words)), least)
    end = next((i for i in range(least - start) if any(w[-1 - i] != first[-1 - i] for w in words)), least - start)
    names = ["-".join(found[start : len(found) - end]) for found in words]
    if len(folders) > 1 and all(names) and len(set(names)) == len(names):
        return names
    names = [folder.name for folder in folders]
    return names if len(set(names)) == len(names) else [f"{i}: {name}" for i, name in enumerate(names, 1)]


def _series(folder: Path) -> dict[str, Points]:
    """Every number of every whole line under its name; a step that was recorded twice counts as it was last."""
    found: dict[str, dict[float, float]] = {}
    for values in metrics_file.lines(folder):
        for name, number in values.items():
            if name != "step" and isinstance(number, int | float):
                found.setdefault(name, {})[values["step"]] = float(number)
    return {name: sorted(points.items()) for name, points in found.items()}


def _summary(folder: Path) -> dict[str, Any]:
    found = summary.read(folder)
    if found is None and (folder / summary.NAME).is_file():
        cure = f"write it again with: sslgraph train --resume {folder}"
        raise SslgraphError(f"{folder / summary.NAME} is damaged; {cure}")
    return found or {}


def _evaluation(folder: Path) -> dict[str, Any]:
    file = folder / EVALUATION
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    except ValueError as garbled:
        raise SslgraphError(f"{file} is damaged; measure again with: sslgraph evaluate {folder}") from garbled
    return found
